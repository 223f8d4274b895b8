// Package cloud makes the tokens with which managed clusters of AWS, Google and Azure are entered, where a kubeconfig asks
// for the cloud's own program (`exec`) and that program is not there: the Action's image has no cloud tools.
//
// Credentials are what the clouds' own SDKs find in the environment; in a workflow, what their login actions leave there.
package cloud
