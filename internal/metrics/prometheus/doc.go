// Package prometheus asks servers that speak Prometheus's HTTP API: Prometheus itself, Thanos, Mimir, VictoriaMetrics.
//
// Queries are instant queries at the server's own present, so that clocks need not agree. A scalar answers as one series
// without labels and a vector as it is. A matrix ("[5m]" left open) and native histograms are refused with a hint, because
// there is no one number to take from them. The server's warnings travel with the result.
//
// The API is that of https://prometheus.io/docs/prometheus/latest/querying/api/: errors of a query come as 400 (bad_data)
// or 422 (execution) with a JSON body; 503 means a time-out or an abort and is asked again.
package prometheus
