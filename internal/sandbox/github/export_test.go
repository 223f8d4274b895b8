package github

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// Conforms holds an answer against the description. What is not described at all conforms.
func (s *Server) Conforms(r *http.Request, status int, header http.Header, body []byte) error {
	c := &call{Request: r, prefix: s.options.Prefix}
	route, params := s.find(c)
	if route == nil {
		return nil
	}
	c.params = params
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input(c, route), Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
	})
}

// Description is the document that requests are held against.
func (s *Server) Description() *openapi3.T { return s.routes[0].Spec }

// Unanswered are the operations of the description that nobody answers, and those that are answered and not there.
func (s *Server) Unanswered() error {
	var err error
	for _, r := range s.routes {
		if s.operations[r.Operation.OperationID].handle == nil {
			err = errors.Join(err, errors.New(r.Operation.OperationID))
		}
	}
	if len(s.routes) != len(s.operations) {
		err = errors.Join(err, errors.New("there are more operations than routes"))
	}
	return err
}
