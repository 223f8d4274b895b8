package apiserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// RoundTripper carries requests to the server without a socket. Each runs in a goroutine that ends with its answer, or
// for a watch when the client closes the body, the request's context ends or the server is closed.
func (s *Server) RoundTripper() http.RoundTripper { return InProcess(s.Handler()) }

// InProcess is a transport that calls h. A handler that panics with http.ErrAbortHandler breaks the connection; one that
// flushes streams.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	w := &reply{header: http.Header{}, req: req, cancel: cancel, ready: make(chan struct{})}
	go w.run(t.handler, received(req.Clone(ctx)))
	select {
	case <-w.ready:
	case <-req.Context().Done():
		cancel()
		return nil, context.Cause(req.Context())
	}
	if w.failed != nil {
		cancel()
		return nil, w.failed
	}
	return w.response, nil
}

// received makes of a client's request what a server gets.
func received(req *http.Request) *http.Request {
	if req.Host == "" {
		req.Host = req.URL.Host
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	req.RequestURI, req.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:0"
	return req
}

// reply collects an answer; at the first Flush it becomes a stream.
type reply struct {
	req    *http.Request
	cancel context.CancelFunc
	ready  chan struct{} // closed when response or failed is set
	once   sync.Once

	header http.Header
	code   int
	buffer bytes.Buffer
	pipe   *io.PipeWriter

	response *http.Response
	failed   error
}

var _ http.Flusher = (*reply)(nil)

func (w *reply) run(h http.Handler, req *http.Request) {
	defer func() {
		if cut := recover(); cut != nil {
			w.cut(cut)
			return
		}
		w.finish()
	}()
	h.ServeHTTP(w, req)
}

// cut ends the answer as a broken connection would. Other panics than the server's own go on.
func (w *reply) cut(reason any) {
	if err, ok := reason.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		panic(reason)
	}
	if w.pipe != nil {
		_ = w.pipe.CloseWithError(io.ErrUnexpectedEOF)
	}
	w.once.Do(func() {
		w.failed = io.ErrUnexpectedEOF
		close(w.ready)
	})
}

func (w *reply) finish() {
	if w.pipe != nil {
		_ = w.pipe.Close()
		return
	}
	w.answer(&body{ReadCloser: io.NopCloser(&w.buffer), cancel: w.cancel}, int64(w.buffer.Len()))
}

func (w *reply) answer(b io.ReadCloser, length int64) {
	w.once.Do(func() {
		w.WriteHeader(http.StatusOK)
		w.response = &http.Response{
			Status: http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.header, Body: b, ContentLength: length, Request: w.req,
		}
		close(w.ready)
	})
}

func (w *reply) Header() http.Header { return w.header }

func (w *reply) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
}

func (w *reply) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.pipe != nil {
		return w.pipe.Write(p)
	}
	return w.buffer.Write(p)
}

// Flush hands over what was written; the first makes the stream, whose reader fails when the request's context ends.
func (w *reply) Flush() {
	if w.pipe != nil {
		return
	}
	r, pipe := io.Pipe()
	stop := context.AfterFunc(w.req.Context(), func() { _ = r.CloseWithError(context.Cause(w.req.Context())) })
	stream := struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(w.buffer.Bytes()), r), r}
	w.pipe = pipe
	w.answer(&body{ReadCloser: stream, cancel: func() { stop(); w.cancel() }}, -1)
}

// body tells the handler when its client has gone.
type body struct {
	io.ReadCloser
	cancel func()
}

func (b *body) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}
