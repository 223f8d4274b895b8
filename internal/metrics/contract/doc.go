// Package contract is the suite that every provider's test runs.
//
// The provider's test brings a [Harness]: how to open the provider against an address, and how its API, by its public
// reference, writes answers and errors. The suite starts an HTTP double that answers so and checks what a gate relies
// on: numbers arrive as they were sent, each failure has its kind, retries stay within the context, bodies are
// bounded, and no error tells a secret. Waiting costs nothing: the providers wait by a clock that moves itself.
package contract
