package gateway

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parseRule reads an expression of Traefik's rules, which are Go expressions of matchers.
func parseRule(text string) (func(*http.Request) bool, error) {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	return ruleOf(e)
}

func ruleOf(e ast.Expr) (func(*http.Request) bool, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return ruleOf(e.X)
	case *ast.UnaryExpr:
		inner, err := ruleOf(e.X)
		if err != nil || e.Op != token.NOT {
			return nil, fmt.Errorf("no rule: %s: %w", e.Op, err)
		}
		return func(r *http.Request) bool { return !inner(r) }, nil
	case *ast.BinaryExpr:
		return conjunction(e)
	case *ast.CallExpr:
		return matcherOf(e)
	}
	return nil, fmt.Errorf("no rule: %T", e)
}

func conjunction(e *ast.BinaryExpr) (func(*http.Request) bool, error) {
	left, err := ruleOf(e.X)
	if err != nil {
		return nil, err
	}
	right, err := ruleOf(e.Y)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case token.LAND:
		return func(r *http.Request) bool { return left(r) && right(r) }, nil
	case token.LOR:
		return func(r *http.Request) bool { return left(r) || right(r) }, nil
	}
	return nil, fmt.Errorf("no rule: operator %s", e.Op)
}

func matcherOf(call *ast.CallExpr) (func(*http.Request) bool, error) {
	name, ok := call.Fun.(*ast.Ident)
	if !ok {
		return nil, fmt.Errorf("no matcher: %T", call.Fun)
	}
	var args []string
	for _, a := range call.Args {
		literal, ok := a.(*ast.BasicLit)
		if !ok {
			return nil, fmt.Errorf("%s: an argument is no text", name)
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		args = append(args, text)
	}
	return matcherBy(name.Name, append(args, "", "")[:2])
}

// matcherBy is one matcher of version 3 of Traefik's rules. Expressions are searched for.
func matcherBy(name string, args []string) (func(*http.Request) bool, error) {
	first, second := args[0], args[1]
	switch name {
	case "Host":
		return func(r *http.Request) bool { return strings.EqualFold(hostOf(r), first) }, nil
	case "Path":
		return func(r *http.Request) bool { return r.URL.Path == first }, nil
	case "PathPrefix":
		return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, first) }, nil
	case "Method":
		return func(r *http.Request) bool { return strings.EqualFold(r.Method, first) }, nil
	case "Header":
		return func(r *http.Request) bool { return slices.Contains(r.Header.Values(first), second) }, nil
	case "Query":
		return func(r *http.Request) bool { return slices.Contains(r.URL.Query()[first], second) }, nil
	case "HeaderRegexp":
		expression, err := regexp.Compile(second)
		if err != nil {
			return nil, err
		}
		return func(r *http.Request) bool { return slices.ContainsFunc(r.Header.Values(first), expression.MatchString) }, nil
	}
	return nil, fmt.Errorf("no matcher %s", name)
}

func hostOf(r *http.Request) string {
	if h, _, err := net.SplitHostPort(r.Host); err == nil {
		return h
	}
	return r.Host
}
