package apiserver

// mapAt is the map at a path, or nil.
func mapAt(object map[string]any, path ...string) map[string]any {
	for _, p := range path {
		object, _ = object[p].(map[string]any)
	}
	return object
}

// listAt is the list at a path, or nil.
func listAt(object map[string]any, path ...string) []any {
	last := len(path) - 1
	list, _ := mapAt(object, path[:last]...)[path[last]].([]any)
	return list
}

// stringAt is the string at a path, or "".
func stringAt(object map[string]any, path ...string) string {
	last := len(path) - 1
	s, _ := mapAt(object, path[:last]...)[path[last]].(string)
	return s
}

// mapsIn are the entries of a list that are maps.
func mapsIn(list []any) []map[string]any {
	maps := make([]map[string]any, 0, len(list))
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			maps = append(maps, m)
		}
	}
	return maps
}

// ensure is the map under key, made when it is not there.
func ensure(object map[string]any, key string) map[string]any {
	m, ok := object[key].(map[string]any)
	if !ok {
		m = map[string]any{}
		object[key] = m
	}
	return m
}

// setDefault sets key when it is absent or null.
func setDefault(object map[string]any, key string, value any) {
	if object[key] == nil {
		object[key] = value
	}
}

func shallow(object map[string]any) map[string]any {
	c := make(map[string]any, len(object)+1)
	for k, v := range object {
		c[k] = v
	}
	return c
}

// keep gives dst the value that src has under key, or none.
func keep(dst, src map[string]any, key string) {
	if v, ok := src[key]; ok {
		dst[key] = v
	} else {
		delete(dst, key)
	}
}
