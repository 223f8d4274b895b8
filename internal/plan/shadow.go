package plan

// Shadow tells that the candidate gets copies of requests and nothing else: the base answers every user, also when the plan
// has come to its end.
func (p Plan) Shadow() bool { return p.Copies() > 0 }

// Copies is the greatest share of the requests that is copied to the candidate; 0 unless the plan is a shadow's.
func (p Plan) Copies() Share {
	var most Share
	for i := range p.Steps {
		most = max(most, p.Copied(i))
	}
	return most
}

// Copied is the share of the requests that is copied once step i is in force.
func (p Plan) Copied(i int) Share {
	var share Share
	for _, step := range p.Steps[:min(i+1, len(p.Steps))] {
		for _, op := range step.Do {
			if op.Kind == SetSplit {
				share = op.Mirror
			}
		}
	}
	return share
}
