package spec

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
)

// checkCondition compiles a gate's pass or fail, and throws the program away:
// whoever judges has the functions themselves. A result is a number for one
// series and else a vector; a condition must fit one of the two. The clock is
// left out: gates are asked in virtual time too. Errors carry the position in
// the condition, and a hint.
func checkCondition(code string) error {
	asNumber := compiles(code, float64(0))
	if asNumber == nil || compiles(code, []float64(nil)) == nil {
		return nil
	}
	message, where := asNumber.Error(), ""
	if e := (*file.Error)(nil); errors.As(asNumber, &e) {
		message, where = e.Message, fmt.Sprintf(" at character %d", e.Column+1)
		if e.Line > 1 {
			where = fmt.Sprintf(" at line %d, character %d of it", e.Line, e.Column+1)
		}
	}
	return hint(fmt.Sprintf("the condition cannot be read%s: %s", where, message),
		"A condition is true or false, over result, isNaN, isInf, default and len, such as result < 0.01.")
}

// compiles reports why a condition does not fit a result of this type.
func compiles(code string, result any) error {
	_, err := expr.Compile(code,
		expr.Env(map[string]any{"result": result}),
		expr.AsBool(),
		expr.DisableBuiltin("now"),
		expr.Function("isNaN", notRun, new(func(float64) bool), new(func(int) bool)),
		expr.Function("isInf", notRun, new(func(float64) bool), new(func(int) bool)),
		expr.Function("default", notRun, new(func(float64, float64) float64), new(func(float64, int) float64), new(func([]float64, any) any)),
	)
	return err
}

// notRun stands for a function of which only the types matter.
func notRun(...any) (any, error) { return nil, errors.New("conditions are only compiled here") }
