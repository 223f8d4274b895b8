package page

import "html/template"

// text is the page.
const text = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<title>{{.Closing.Headline}}</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<header class="{{.Tone}}">
<h1><span class="mark" aria-hidden="true">{{.Closing.Mark}}</span> {{.Closing.Headline}}</h1>
{{- if .Why}}
<p>{{.Why}}</p>
{{- end}}
{{- if .WhyMore}}
<pre>{{.WhyMore}}</pre>
{{- end}}
{{- with .Evidence}}
<p>{{.}}{{with $.Closing.Evidence.Query}}<br><code>{{.}}</code>{{end}}{{with $.Closing.Evidence.Link}}<br><code>{{.}}</code>{{end}}</p>
{{- end}}
</header>
{{- with .Closing.Next}}
<section>
<h2>What to do next</h2>
<ul class="next">
{{- range .}}
<li>{{.Text}}{{with .Command}}<code class="command">{{.}}</code>{{end}}</li>
{{- end}}
</ul>
</section>
{{- end}}
{{- if or .Closing.Users .Closing.Outage .Closing.Took .Links}}
<section>
<h2>What is known</h2>
<dl>
{{- with .Closing.Users}}
<dt>users</dt><dd>{{.}}</dd>
{{- end}}
{{- with .Closing.Outage}}
<dt>outage</dt><dd>{{.}}</dd>
{{- end}}
{{- with .Closing.Took}}
<dt>took</dt><dd>{{.}}</dd>
{{- end}}
{{- range .Links}}
<dt>{{.Label}}</dt><dd><a rel="noopener noreferrer" href="{{.URL}}">{{.URL}}</a></dd>
{{- end}}
</dl>
</section>
{{- end}}
{{- if .DryRun}}
<section>
<h2>Plan</h2>
<pre>{{range .DryRun}}{{.}}
{{end}}</pre>
</section>
{{- end}}` + chart + tables + `
</main>
</body>
</html>
`

// chart is the panels, one under the other, over one axis of time.
const chart = `
{{- if .Panels}}
<section>
<h2>What happened when</h2>
<div class="chart">
{{- range .Panels}}
<figure>
<figcaption>{{.Title}}</figcaption>
{{- if .Labels}}
<div class="labels" aria-hidden="true">
{{- range .Labels}}<span class="{{.Class}}{{if .Right}} right{{end}}" style="left: {{.Left}}%">{{.Text}}</span>{{end -}}
</div>
{{- end}}
<div class="plot">
<div class="y" aria-hidden="true"><span>{{.Top}}</span><span>{{.Low}}</span></div>
<svg viewBox="0 -4 1000 108" preserveAspectRatio="none" role="img" aria-label="{{.Reference}}">
<path class="grid" d="M0 0H1000M0 50H1000M0 100H1000"/>
{{- if .Area}}
<path class="area" d="{{.Area}}"/>
{{- end}}
{{- range .Marks}}
<path class="at {{.Class}}" d="M{{.X}} -4V104"><title>{{.Title}}</title></path>
{{- end}}
<path class="{{if .Area}}share{{else}}value{{end}}" d="{{.Line}}"/>
{{- range .Dots}}
<path class="dot {{.Class}}" d="M{{.X}} {{.Y}}h0"><title>{{.Title}}</title></path>
{{- end}}
</svg>
</div>
</figure>
{{- end}}
<div class="x" aria-hidden="true">
{{- range .Ticks}}<span class="{{.Class}}" style="left: {{.Left}}%">{{.Text}}</span>{{end -}}
</div>
<p class="axis">{{.Axis}}</p>
<p class="legend"><span class="key pass"></span>passed <span class="key fail"></span>failed <span class="key other"></span>neither
<span class="key in-force"></span>a step is in force <span class="key undoing"></span>going back <span class="key restored"></span>no request meets the new version</p>
</div>
<details>
<summary>Moments</summary>
<table>
{{- range .Moments}}
<tr><td class="number">{{.At}}</td><td>{{.Text}}</td></tr>
{{- end}}
</table>
</details>
</section>
{{- end}}`

const tables = `
{{- if .Steps}}
<section>
<h2>Steps</h2>
<div class="wide">
<table>
<thead><tr><th></th><th>Step</th><th>New</th><th>Until in force</th><th>Held</th><th>Gates</th><th>Worst seen</th></tr></thead>
<tbody>
{{- range .Steps}}
<tr class="{{if eq .Sign "not reached"}}faint{{end}}"><td class="{{.Sign}}" title="{{.Sign}}">{{sign .Sign}}</td><td><code>{{.ID}}</code><br><small>{{.Title}}</small></td><td class="number">{{.Share}}</td><td class="number">{{.Took}}</td><td class="number">{{.Held}}</td>
<td>{{range .Verdicts}}<span class="verdict"><span class="{{.Sign}}" title="{{.Sign}}">{{sign .Sign}}</span> {{.Gate}}</span> {{end}}</td><td>{{.Worst}}</td></tr>
{{- end}}
</tbody>
</table>
</div>
</section>
{{- end}}
{{- if .Gates}}
<section>
<h2>Gates</h2>
<div class="wide">
<table>
<thead><tr><th></th><th>Gate</th><th>Step</th><th>Last</th><th>Worst</th><th>Looks</th><th>Failed</th><th>No data</th><th>Says</th></tr></thead>
<tbody>
{{- range .Gates}}
<tr><td class="{{.Sign}}" title="{{.Sign}}">{{sign .Sign}}</td><td>{{.Name}}</td><td><code>{{.Step}}</code></td><td class="number">{{.Value}}</td><td>{{.Worst}}</td><td class="number">{{.Looks}}</td><td class="number">{{.Fails}}</td><td class="number">{{.Empty}}</td>
<td>{{.Reason}}{{with .Query}}<br><code>{{.}}</code>{{end}}{{with .Link}}<br><code>{{.}}</code>{{end}}</td></tr>
{{- end}}
</tbody>
</table>
</div>
</section>
{{- end}}
{{- if .Facts}}
<section>
<h2>Images and identifiers</h2>
<dl>
{{- range .Facts}}
<dt>{{.Label}}</dt><dd>{{if .Code}}<code>{{.Text}}</code>{{else}}{{.Text}}{{end}}</dd>
{{- end}}
</dl>
</section>
{{- end}}`

// style is written here whole: nothing of a rollout is in it.
const style template.CSS = `
:root { color-scheme: light dark; --ink: #1f2328; --faint: #656d76; --line: #d1d9e0; --paper: #ffffff; --shade: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --doubt: #9a6700; --share: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --line: #3d444d; --paper: #0d1117; --shade: #151b23;
  --good: #3fb950; --bad: #f85149; --doubt: #d29922; --share: #4493f8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
header { border-left: .4rem solid var(--bad); background: var(--shade); padding: .8rem 1rem; }
header.good { border-color: var(--good); }
header.doubt, header.waiting { border-color: var(--doubt); }
header p { margin: .4rem 0 0; }
h1 { font-size: 1.25rem; line-height: 1.35; margin: 0; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
.mark { color: var(--bad); }
.good .mark { color: var(--good); }
.doubt .mark, .waiting .mark { color: var(--doubt); }
code, pre { font: .86em/1.45 ui-monospace, monospace; }
pre { background: var(--shade); border: 1px solid var(--line); padding: .6rem; white-space: pre-wrap; margin: .6rem 0 0; }
.next { padding-left: 1.2rem; margin: 0; }
.next li { margin-bottom: .4rem; }
.command { display: block; background: var(--shade); border: 1px solid var(--line); padding: .3rem .5rem; margin-top: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--faint); max-width: 34vw; }
dd { margin: 0; min-width: 0; }
a { color: var(--share); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
.wide td { overflow-wrap: break-word; }
.wide td:last-child { min-width: 12rem; overflow-wrap: anywhere; }
td code { white-space: normal; }
small { color: var(--faint); }
.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.verdict { white-space: nowrap; display: block; }
.passed { color: var(--good); }
.failed { color: var(--bad); }
.no, .pending, .undone, .in { color: var(--doubt); }
.faint td { color: var(--faint); }
.chart { --y: 4.2rem; }
figure { margin: 0 0 .8rem; }
figcaption { font-size: .86rem; color: var(--faint); margin-bottom: .15rem; }
.plot { display: flex; }
.y { width: var(--y); flex: none; display: flex; flex-direction: column; justify-content: space-between; text-align: right; padding-right: .5rem;
  font-size: .78rem; line-height: 1; color: var(--faint); font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { flex: 1; min-width: 0; height: 6.5rem; overflow: visible; display: block; }
path { fill: none; stroke: var(--faint); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1px; }
.area { fill: var(--share); fill-opacity: .18; stroke: none; }
.share { stroke: var(--share); stroke-width: 2px; }
.dot { stroke-width: 5px; stroke-linecap: round; stroke: var(--doubt); }
.dot.pass { stroke: var(--good); }
.dot.fail { stroke: var(--bad); stroke-width: 9px; }
.at { stroke-width: 1px; stroke-dasharray: 3 3; }
.at.undoing { stroke: var(--bad); stroke-dasharray: none; stroke-width: 1.5px; }
.at.restored { stroke: var(--good); stroke-dasharray: none; stroke-width: 1.5px; }
.labels, .x { position: relative; height: 1.1rem; margin-left: var(--y); font-size: .74rem; line-height: 1.1rem; color: var(--faint); }
.labels span, .x span { position: absolute; white-space: nowrap; }
.labels .right, .x .end { transform: translateX(-100%); }
.x .middle { transform: translateX(-50%); }
.labels .undoing { color: var(--bad); }
.axis, .legend { font-size: .78rem; color: var(--faint); margin: .1rem 0 0 var(--y); }
.key { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--doubt); margin: 0 .25rem 0 .6rem; }
.key:first-child { margin-left: 0; }
.key.pass { background: var(--good); }
.key.fail { background: var(--bad); }
.key.in-force, .key.undoing, .key.restored { border-radius: 0; width: 0; height: .8rem; background: none; border-left: 2px dashed var(--faint); vertical-align: -1px; }
.key.undoing { border-left: 2px solid var(--bad); }
.key.restored { border-left: 2px solid var(--good); }
summary { cursor: pointer; color: var(--faint); font-size: .9rem; margin-top: .5rem; }
@media (max-width: 36rem) { main { padding: .6rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } dt { max-width: none; }
  .chart { --y: 3.2rem; } .dot { stroke-width: 3.5px; } .wide table { width: max-content; min-width: 100%; max-width: 52rem; } th, td { padding: .3rem .35rem; } }
@media print { main { max-width: none; padding: 0; } section, figure { break-inside: avoid; } .wide { overflow: visible; } body { font-size: 11px; }
  header, .area, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`
