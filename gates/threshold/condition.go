package threshold

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/tidegate/tidegate/internal/metrics"
)

// truth is what a condition says of an answer.
type truth int

const (
	no truth = iota
	yes
	missing // there was nothing to judge: NaN, no series
	misfit  // the answer is not of the shape that the condition needs
)

// finding is a truth in words.
type finding struct {
	truth truth
	says  string
}

// answer is what the conditions look at.
type answer metrics.Result

// condition is compiled for both shapes of result; what it cannot be read with is nil.
type condition struct {
	text           string
	number, vector *vm.Program
	calls          calls
}

// CompileCondition tells whether a condition can be read.
func CompileCondition(text string) error {
	_, err := compile(text)
	return err
}

func compile(text string) (*condition, error) {
	c := &condition{text: strings.TrimSpace(text), calls: calls{}}
	var asNumber, asVector error
	c.number, asNumber = c.program(float64(0))
	c.vector, asVector = c.program([]float64(nil))
	if asNumber == nil || asVector == nil {
		return c, nil
	}
	problem := where(asNumber)
	if other := where(asVector); other != problem {
		problem = fmt.Sprintf("for one number: %s; for several series: %s", problem, other)
	}
	return nil, fmt.Errorf("the condition %q cannot be read: %s; a condition is true or false, over result, isNaN, isInf, default and len, such as result < 0.01",
		c.text, problem)
}

// program compiles the condition with a result of this type.
func (c *condition) program(result any) (*vm.Program, error) {
	return expr.Compile(c.text,
		expr.Env(map[string]any{"result": result}),
		expr.AsBool(),
		expr.DisableBuiltin("now"), // gates never read the clock
		expr.Patch(c.calls),
		expr.Function("isNaN", onNumber(math.IsNaN), new(func(float64) bool), new(func(int) bool)),
		expr.Function("isInf", onNumber(func(f float64) bool { return math.IsInf(f, 0) }), new(func(float64) bool), new(func(int) bool)),
		expr.Function("default", orElse, new(func(float64, float64) float64), new(func(float64, int) float64), new(func([]float64, any) any)),
	)
}

func onNumber(f func(float64) bool) func(...any) (any, error) {
	return func(params ...any) (any, error) {
		switch v := params[0].(type) {
		case float64:
			return f(v), nil
		case int:
			return f(float64(v)), nil
		default:
			return nil, fmt.Errorf("a number is needed, not %T", v)
		}
	}
}

// orElse is default(result, x).
func orElse(params ...any) (any, error) {
	if values, ok := params[0].([]float64); ok && len(values) == 0 {
		return params[1], nil
	}
	return params[0], nil
}

// where is a compiler's error without its drawing.
func where(err error) string {
	if e := (*file.Error)(nil); errors.As(err, &e) {
		return fmt.Sprintf("%s at character %d", e.Message, e.Column+1)
	}
	return err.Error()
}

// calls collects the functions that a condition calls.
type calls map[string]bool

// Visit is called for every node.
func (c calls) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			c[name.Value] = true
		}
	case *ast.BuiltinNode:
		c[n.Name] = true
	}
}

// judge says whether the condition holds, or why that cannot be said.
func (c *condition) judge(a answer) finding {
	values := metrics.Result(a).Values()
	if f, unknown := c.unknown(values); unknown {
		return f
	}
	program, result := c.vector, any(values)
	if len(values) == 1 && c.number != nil {
		program, result = c.number, values[0]
	}
	if program == nil {
		return finding{misfit, fmt.Sprintf("the query answered with %d series, and the condition (%s) needs one number; add them up in the query, or write a condition over all of them, in quotes: pass: \"all(result, # < 0.01)\"",
			len(values), c.text)}
	}
	out, err := expr.Run(program, map[string]any{"result": result})
	switch {
	case err != nil:
		return finding{misfit, fmt.Sprintf("the condition (%s) does not fit the answer %s: %s", c.text, show(values), where(err))}
	case out == true: // AsBool makes everything but true and false an error
		return finding{yes, c.describe(values, true)}
	}
	return finding{no, c.describe(values, false)}
}

// unknown finds what the condition would have to deal with itself, and does not.
func (c *condition) unknown(values []float64) (finding, bool) {
	if len(values) == 0 && !c.calls["len"] && !c.calls["default"] {
		return finding{missing, "the query answered with no series"}, true
	}
	nan := 0
	for _, v := range values {
		if math.IsNaN(v) {
			nan++
		}
	}
	switch {
	case nan == 0 || c.calls["isNaN"]:
		return finding{}, false
	case len(values) == 1:
		return finding{missing, "the query answered NaN (0/0): probably no requests yet"}, true
	}
	return finding{missing, fmt.Sprintf("%d of %d series are NaN (0/0): probably no requests there yet", nan, len(values))}, true
}
