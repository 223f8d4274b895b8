package live

import (
	"fmt"
	"io"
	"strings"

	"github.com/tidegate/tidegate/internal/report/words"
)

// Terminal replaces the frame that it drew last by the next one, in place. It never clears the screen and never leaves the
// scrollback: the last frame stays where it is, with the cursor under it. It is not safe for concurrent use.
type Terminal struct {
	w       io.Writer
	colours bool
	drawn   []string // the lines of the last frame, without colours
}

// NewTerminal returns a Terminal that writes to w, with colours or without; see Colours.
func NewTerminal(w io.Writer, colours bool) *Terminal { return &Terminal{w: w, colours: colours} }

// ECMA-48 and, for the last two, the synchronized output of modern terminals: others ignore it.
const (
	eraseLine = "\x1b[K"
	eraseDown = "\x1b[J"
	cursorUp  = "\x1b[%dA"
	hold      = "\x1b[?2026h"
	release   = "\x1b[?2026l"
)

// Draw replaces the last frame. width is the terminal's now: when it has become narrower since the last frame, that frame's
// lines take more rows than they had. Everything goes out in one write, so that nothing flickers.
func (t *Terminal) Draw(frame string, width int) error {
	if !t.colours {
		frame = Plain(frame)
	}
	var b strings.Builder
	b.WriteString(hold)
	if n := t.rows(width); n > 0 {
		fmt.Fprintf(&b, cursorUp, n)
	}
	b.WriteString("\r")
	lines := strings.SplitAfter(strings.TrimSuffix(frame, "\n"), "\n")
	t.drawn = t.drawn[:0]
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\n")
		b.WriteString(line + eraseLine + "\n")
		t.drawn = append(t.drawn, Plain(line))
	}
	b.WriteString(eraseDown + release)
	_, err := io.WriteString(t.w, b.String())
	return err
}

// Leave makes the next frame begin under the last one: what was drawn stays, and other text may be written now.
func (t *Terminal) Leave() { t.drawn = nil }

// rows is how many rows of a terminal of this width the last frame takes.
func (t *Terminal) rows(width int) int {
	n := 0
	for _, line := range t.drawn {
		n++
		if width > 0 {
			n += max(words.Width(line)-1, 0) / width
		}
	}
	return n
}
