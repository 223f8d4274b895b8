// Package prom is a small Prometheus: it scrapes handlers in-process, keeps samples in memory, and answers the query
// API with Prometheus's own engine, so that a query which works here works there.
//
// A target that is gone leaves a staleness marker, as real scrapes do: without it a rate would see dead pods for five
// more minutes. [Server.Stop] makes it an outage: queries are refused and nothing is scraped until [Server.Start].
package prom
