import type { Markup } from './html.ts';

/** The one style sheet. Light and dark as the reader's system is; on paper light, and nothing is torn apart. */
export const STYLE: Markup = {
  markup: `
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5a6676;--line:#dfe3e9;--reference:#b9c2cf;--current:#0b66c3;--bad:#b3261e;--bad-paper:#fdeceb;--good:#1d6f42;--good-paper:#e8f5ed;--wait:#7a5300;--wait-paper:#fdf3da}
@media (prefers-color-scheme:dark){:root{--paper:#12161c;--card:#1a2028;--ink:#e6eaf0;--soft:#9aa7b8;--line:#2d3643;--reference:#4a5666;--current:#6cb2ff;--bad:#ff9d95;--bad-paper:#3b1a19;--good:#7fd3a1;--good-paper:#14301f;--wait:#f1c768;--wait-paper:#33280e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 56px}
a{color:var(--current)}
td .soft{display:block;font-size:13px;white-space:nowrap}
h1{font-size:26px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:18px;margin:34px 0 12px}
h3{font-size:16px;margin:0;overflow-wrap:anywhere}
p{margin:0}
.kicker,.soft,.nothing,caption{color:var(--soft)}
.kicker{font-size:13px;letter-spacing:.04em;text-transform:uppercase;margin-bottom:4px}
.head{display:flex;gap:12px 20px;flex-wrap:wrap;align-items:center;justify-content:space-between}
.badge{display:inline-block;border-radius:999px;padding:2px 11px;font-size:13px;font-weight:600;white-space:nowrap}
header .badge{font-size:16px;padding:5px 18px}
.bad{color:var(--bad)}.badge.bad{background:var(--bad-paper)}
.badge.good{color:var(--good);background:var(--good-paper)}
.badge.wait{color:var(--wait);background:var(--wait-paper)}
.lead{margin:14px 0 0;max-width:75ch}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:22px 0 0;padding:0}
.facts>div,.card,.panel{background:var(--card);border:1px solid var(--line);border-radius:12px}
.facts>div{padding:12px 16px}
dt{color:var(--soft);font-size:13px}
dd{margin:0}
.facts dd{font-size:21px;font-weight:600;font-variant-numeric:tabular-nums}
.facts small{display:block;font-size:13px;font-weight:400;color:var(--soft)}
.panel{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:12px 16px 6px;font-size:13px}
th,td{text-align:left;padding:8px 12px;border-top:1px solid var(--line);vertical-align:middle}
th:first-child,td:first-child{padding-left:16px}
thead th{font-size:13px;font-weight:600;color:var(--soft);border-top:0;white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:600;min-width:225px;max-width:260px;overflow-wrap:anywhere}
.number{text-align:right}
.number,.time{white-space:nowrap}
.tag{font-size:12px;font-weight:400;color:var(--soft);border:1px solid var(--line);border-radius:6px;padding:0 6px;white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:16px}
.card{padding:16px 18px}
.card.drifted{border-color:var(--bad)}
.card>.head{align-items:flex-start;flex-wrap:nowrap}
.card p.score{color:var(--soft);font-size:14px;margin:2px 0 10px}
.card dl.details{display:grid;grid-template-columns:auto 1fr;gap:2px 14px;margin:10px 0 0;font-size:14px;font-variant-numeric:tabular-nums}
.card .details dd{overflow-wrap:anywhere}
.key{display:flex;gap:18px;flex-wrap:wrap;font-size:13px;color:var(--soft);margin:0 0 12px}
.key span::before{content:"";display:inline-block;width:14px;height:10px;margin-right:6px;border-radius:2px;background:var(--reference)}
.key .now::before{background:color-mix(in srgb,var(--current) 25%,transparent);border:2px solid var(--current)}
svg.chart{display:block;width:100%;height:auto}
svg text{font-size:11px;fill:var(--soft);font-variant-numeric:tabular-nums}
svg .reference{fill:var(--reference)}
svg .now{fill:var(--current)}
svg .current{fill:var(--current);fill-opacity:.14;stroke:var(--current);stroke-width:2;stroke-linejoin:round}
svg .axis{stroke:var(--line);fill:none}
svg .slot{fill:transparent}
svg .slot:hover{fill:var(--ink);fill-opacity:.07}
svg.spark{display:block;width:110px;height:28px}
svg .line{fill:none;stroke:var(--soft);stroke-width:1.4}
svg .threshold{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3;fill:none}
svg circle.bad{fill:var(--bad)}svg circle.good{fill:var(--soft)}
.facts-below{margin:22px 0}
form{display:flex;gap:12px;flex-wrap:wrap;align-items:end;padding:14px 16px}
label{display:grid;gap:3px;font-size:13px;color:var(--soft)}
input,select,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:0 10px;height:38px}
button{background:var(--current);border-color:var(--current);color:var(--card);font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid var(--current);outline-offset:2px}
nav{display:flex;justify-content:space-between;gap:12px;margin-top:16px}
footer{margin-top:36px;font-size:13px;color:var(--soft)}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--reference:#b9c2cf;--current:#0b66c3;--bad:#b3261e;--bad-paper:#fff;--good:#1d6f42;--good-paper:#fff;--wait:#7a5300;--wait-paper:#fff}
body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}.card,tr{break-inside:avoid}h2{break-after:avoid}.cards{grid-template-columns:1fr 1fr}.panel{overflow:visible}th,td{padding:4px 6px}form,nav{display:none}}
`,
};
