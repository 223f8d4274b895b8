// Package runner behaves towards a container action as the runner of GitHub Actions does, so that tests can see what
// an action does in a job without GitHub, without a daemon and without an image registry.
//
// A [Job] is the job's world on disk. [Job.Start] runs an [Action]'s main entrypoint, [Step.Post] its post-entrypoint, in
// a new container with the state that main saved. How a container is made is the [Container]'s matter: [Host] runs a
// binary in the image's place, [Chroot] runs an image's root filesystem and throws away what was written to it.
//
// What is kept, as the runner's source and GitHub's documentation have it:
//
//   - the environment: only what the runner sets, nothing of the test's own process; INPUT_* of every input, spaces made
//     underscores and dashes kept; values that begin with a mounted path name the path within the container;
//   - both streams are read for workflow commands, in the forms ::name:: and ##[name]; a command that is not known is
//     plain text there and a [Outcome].Problems entry here;
//   - the file commands are read when the step has ended, however it ended; a malformed file fails the step, what stood
//     before the fault counts;
//   - cancelling sends SIGINT, after 7.5 s SIGTERM, after 2.5 s more SIGKILL, and the step is "cancelled" whatever it
//     answers; the post step runs in what is left of five minutes. All of it goes to docker's client: see [Survival];
//   - secrets are replaced by *** in log, annotations and summary.
//
// What is stricter: Problems lists what GitHub passes over in silence or drops. What differs: the process is not
// process 1 of a namespace of its own, the network is the host's, and a masked value is not masked in its encodings (the
// runner masks base64 and escapes of it, so a leak would go unseen).
package runner
