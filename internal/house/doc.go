// Package house keeps the house in order. It has no code of its own, only tests that hold what no compiler does:
//
//   - which way imports point, as a table (imports_test.go);
//   - that time is read in one place, that nothing runs on import, how long files and functions may be (source_test.go);
//   - that every deploy spec in the documentation decodes, every link leads somewhere, and every command that the
//     documentation names exists (prose_test.go);
//   - that the messages which the documentation quotes are in the source (messages_test.go), and that its workflows, and our
//     own, give the Action what it takes (action_test.go, workflows_test.go);
//   - that the tables in the documentation say what the code says (tables_test.go lists them). `go test ./internal/house -update`
//     writes them anew; read the difference.
package house
