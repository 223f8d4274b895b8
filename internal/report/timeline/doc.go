// Package timeline collects what a chart of a rollout needs while the rollout runs: the share of requests that met the new
// version, what each gate measured, and the moments that count.
//
// It holds no more than a bounded number of points. When there are more, neighbours are joined two by two, over the whole
// length and not only at its beginning; of two looks the worse one stays, so that no failure is lost from the picture.
package timeline
