// Package load is a steady stream of users: requests at a fixed rate, every answer recorded.
//
// The stream is open-loop. A request is sent when its moment has come, whatever became of those before it; a slow
// service meets as many users as a fast one, and a schedule that fell behind (a busy machine, a paused process) catches
// up and leaves none out. So a gap of 50 ms in a service at 200 requests a second is ten lost answers, never a short
// pause of the client that nobody sees.
//
// Nothing is retried, not even what net/http would repeat silently on a broken connection: a user's browser may, but a
// test that counts lost requests must not.
//
// [Users] are people instead: each has a cookie jar, comes first with several requests at once and later comes back, at
// the same bounded rate. What became of one user's requests is a [History], which tells how often that user saw the version
// change. Requests that overlap have no order, and are never taken for a change.
//
// A stream goes to loopback addresses only. It cannot be pointed at somebody's machine by mistake, whatever a name
// resolves to: the address is checked again when it is dialled.
package load
