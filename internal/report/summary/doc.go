// Package summary writes what came of a run as the job summary of GitHub Actions: what happened, what to do next, the
// steps, a chart, the gates and the facts, as GitHub-flavoured markdown.
//
// Whatever came from a cluster, a branch or a person is data. [Text], [Code] and their like write it so that it cannot
// become a link, an image, HTML, a mention, a reference to an issue, a heading, or the end of a table or a code block.
package summary
