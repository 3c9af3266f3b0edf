/** The style of the page: its hash is in the page's Content-Security-Policy. Paper is light, whatever the screen is. */
export const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1a1d21;--faint:#545b64;--line:#d5d9de;--good:#116329;--bad:#b3261e;--warn:#8a5300;--band:#f4f6f8;--one:#0b57d0;--two:#8e24aa;--three:#9a4a00;--four:#00696b;--five:#b3006b;--six:#5c6300}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e6e9ed;--faint:#a7b0ba;--line:#3a414a;--good:#6fdc8c;--bad:#ff8a80;--warn:#ffb74d;--band:#1e2329;--one:#8ab4f8;--two:#d7aefb;--three:#ffb77a;--four:#66d9d4;--five:#ff8fc7;--six:#cdd66b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}h3{font-size:1rem;margin:1rem 0 .3rem}
.pass{color:var(--good)}.fail,.invalid,.interrupted,.undecided,.no-data,.error{color:var(--bad)}.not-measured,.warning{color:var(--warn)}.faint{color:var(--faint)}
.word{display:inline-block;padding:0 .6rem;border:2px solid;border-radius:.4rem;font-weight:700}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;min-width:min(100%,24rem)}
caption{text-align:left;color:var(--faint);padding:.2rem 0}
th,td{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap}
td.t{min-width:8rem}
tbody tr:nth-child(even){background:var(--band)}
summary{cursor:pointer;padding:.3rem 0}
a{color:var(--one);display:inline-block;min-height:24px}
nav a{margin-right:1rem}
pre{background:var(--band);padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;border-radius:.3rem}
figure{margin:1rem 0}figcaption{font-weight:600}
figure>svg.drawn{width:100%;height:auto;display:block;background:var(--band);border-radius:.3rem}
.key svg{width:30px;height:8px;vertical-align:middle}
svg text{fill:var(--faint);font-size:11px}
.line{fill:none;stroke-width:1.5}.s1{stroke:var(--one)}.s2{stroke:var(--two);stroke-dasharray:5 2}.s3{stroke:var(--three);stroke-dasharray:2 2}.s4{stroke:var(--four);stroke-dasharray:10 3 2 3}.s5{stroke:var(--five);stroke-dasharray:1 3}.s6{stroke:var(--six);stroke-dasharray:12 4}
.area{stroke:none;fill-opacity:.2}.a1{fill:var(--one)}.a2{fill:var(--two)}.a3{fill:var(--three)}.a4{fill:var(--four)}.a5{fill:var(--five)}.a6{fill:var(--six)}
.limit{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:8 4}.axis{stroke:var(--line)}
.ramp{fill:var(--faint)}.breach,.moment{fill:var(--bad)}
.key span{margin-right:1.2rem;white-space:nowrap}
.alone,.live>svg.drawn{display:none}.live>.alone{display:block}.plot{position:relative;background:var(--band);border-radius:.3rem;min-height:220px}.said{min-height:1.5em;margin:.2rem 0;font-size:.85rem;font-variant-numeric:tabular-nums}
.csv,.all{font:inherit;font-size:.8rem;min-height:24px;padding:0 .6rem;margin:.2rem 0;color:var(--ink);background:var(--band);border:1px solid var(--line);border-radius:.3rem;cursor:pointer}
.u-select{background:var(--faint);opacity:.25}.u-cursor-x,.u-cursor-y{border-color:var(--faint)}
:focus-visible{outline:3px solid var(--one);outline-offset:2px}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--faint:#444;--line:#bbb;--good:#116329;--bad:#b3261e;--warn:#8a5300;--band:#f4f4f4;--one:#0b57d0;--two:#8e24aa;--three:#9a4a00;--four:#00696b;--five:#b3006b;--six:#5c6300}body{max-width:none;font-size:11px}nav,.plot,.said,.csv,.all{display:none}.live>svg.drawn{display:block}.scroll{overflow:visible}tr,figure{break-inside:avoid}table{font-size:inherit}details>*{display:revert}details::details-content{content-visibility:visible}}
@media (max-width:40rem){body{padding:.6rem}h1{font-size:1.3rem}svg text{font-size:20px}th,td{padding-right:.5rem}}
`;
