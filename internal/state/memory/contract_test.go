package memory_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/state/contract"
	"github.com/tidegate/tidegate/internal/state/memory"
)

type cluster struct{ *memory.Cluster }

func (c cluster) Process(holder string, _ time.Duration) contract.Process {
	return process{c.Cluster.Process(holder)}
}

func (c cluster) Successor(holder string, p contract.Process) contract.Process {
	successor := c.Cluster.Process(holder)
	successor.Predecessor = p.(process).Identity()
	return process{successor}
}

func (c cluster) DeleteRecord(*testing.T) { c.Cluster.DeleteRecord() }
func (c cluster) DeleteLease(*testing.T)  { c.Cluster.DeleteLease() }

type process struct{ *memory.Process }

func (p process) Store() contract.WatchedStore   { return p.Process }
func (p process) Locker() contract.WaitingLocker { return p.Process }
func (p process) Inbox() engine.Inbox            { return p.Process }
func (p process) Break(contract.Fault)           { p.Cut() }
func (p process) Mend()                          { p.Heal() }

func harness() contract.Harness {
	return contract.Harness{New: func(*testing.T) contract.Cluster { return cluster{memory.New(clock.Real{})} }}
}

func TestStore(t *testing.T)  { contract.Store(t, harness()) }
func TestLocker(t *testing.T) { contract.Locker(t, harness()) }
func TestInbox(t *testing.T)  { contract.Inbox(t, harness()) }
