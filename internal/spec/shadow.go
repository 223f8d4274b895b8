package spec

// Shadow gives the new version a copy of live requests, whose answers no user sees.
type Shadow struct {
	Weight      Percent       `json:"weight" spec:"required" doc:"share of the requests that are copied"`
	Duration    Duration      `json:"duration" spec:"required,positive" doc:"how long, while gates watch"`
	SideEffects SideEffects   `json:"sideEffects" spec:"required,enum=isolated" doc:"isolated: the copies change nothing that users share, by the overrides of env; a copy of a write is a second write"`
	Env         []EnvVar      `json:"env,omitempty" spec:"nonempty" doc:"environment of the new version while it is a shadow: a scratch database, a muted mailer"`
	MinPods     int           `json:"minPods" spec:"default=1,min=1" doc:"fewest pods of the shadow"`
	Then        *ThenStrategy `json:"then,omitempty" doc:"the strategy that follows; none when left out: the rollout ends with a report, and users stay with the old version"`
}

// SideEffects says what the copies of requests may change.
type SideEffects string

// SideEffectsIsolated: nothing that users share.
const SideEffectsIsolated SideEffects = "isolated"

// EnvVar is one variable of the environment, for every container that gets a new image.
type EnvVar struct {
	Name  string `json:"name" spec:"required" doc:"its name"`
	Value string `json:"value" doc:"its value"`
}

// ThenStrategy is what follows a shadow.
type ThenStrategy struct {
	Rolling   *Rolling   `json:"rolling,omitempty" spec:"oneof" doc:"pod by pod"`
	BlueGreen *BlueGreen `json:"blueGreen,omitempty" spec:"oneof" doc:"every request at once, with the old version standing by"`
	Canary    *Canary    `json:"canary,omitempty" spec:"oneof" doc:"a growing share of the requests, step by step"`
}
