package timeline

// thinned keeps a bounded number of points of an endless row, evenly: it joins a stride of points into one, and doubles the
// stride when there is no room left.
type thinned[T any] struct {
	join   func(a, b T) T
	room   int
	kept   []T // the last one is still open while open < stride
	open   int
	stride int
	last   T
}

// newThinned keeps at most limit points; of two neighbours join says which one stays.
func newThinned[T any](limit int, join func(a, b T) T) *thinned[T] {
	return &thinned[T]{join: join, room: limit - 1, stride: 1} // one is for the last point, which always stays
}

func (r *thinned[T]) add(p T) {
	r.last = p
	if n := len(r.kept); n > 0 && r.open < r.stride {
		r.kept[n-1] = r.join(r.kept[n-1], p)
		r.open++
		return
	}
	if len(r.kept) >= r.room {
		r.halve()
	}
	r.kept, r.open = append(r.kept, p), 1
}

// halve joins neighbours two by two.
func (r *thinned[T]) halve() {
	n := 0
	for i := 0; i < len(r.kept); i += 2 {
		p := r.kept[i]
		if i+1 < len(r.kept) {
			p = r.join(p, r.kept[i+1])
		}
		r.kept[n] = p
		n++
	}
	clear(r.kept[n:])
	r.kept = r.kept[:n]
	r.stride *= 2
}

// points are those that are kept, and the last one of all. same tells whether two are one.
func (r *thinned[T]) points(same func(a, b T) bool) []T {
	all := append([]T(nil), r.kept...)
	if n := len(all); n > 0 && !same(all[n-1], r.last) {
		all = append(all, r.last)
	}
	return all
}
