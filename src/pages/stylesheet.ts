/**
 * The look of every page: one column, the system's own font, light and dark after the system.
 * Text has at least 4.5:1 contrast, borders of fields and focus rings 3:1, in both; targets are
 * 44 px high. Colours are written twice: browsers without `light-dark()` stay light.
 */
export const STYLESHEET = `:root{color-scheme:light;--bg:#eef2f3;--card:#fff;--text:#182024;--muted:#55636a;--line:#d6dee1;--edge:#76858c;--accent:#0f5c6e;--on:#fff;--soft:#e7f1f3;--bad:#a8201a;--badsoft:#fdefee}
@supports (color:light-dark(#000,#fff)){:root{color-scheme:light dark;--bg:light-dark(#eef2f3,#11181b);--card:light-dark(#fff,#1a2327);--text:light-dark(#182024,#e9eef0);--muted:light-dark(#55636a,#a3b1b7);--line:light-dark(#d6dee1,#324047);--edge:light-dark(#76858c,#7d8d94);--accent:light-dark(#0f5c6e,#7cc7d6);--on:light-dark(#fff,#06232b);--soft:light-dark(#e7f1f3,#20343a);--bad:light-dark(#a8201a,#ff9d94);--badsoft:light-dark(#fdefee,#3a2422)}}
*{box-sizing:border-box}
html{font:100%/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:28rem;padding:1.25rem 1rem;background:var(--bg);color:var(--text);accent-color:var(--accent);overflow-wrap:break-word}
header{display:flex;align-items:center;gap:.625rem;padding:.25rem .25rem 1rem;font-weight:600}
header .mark{flex:none;color:var(--accent)}
main{background:var(--card);border:1px solid var(--line);border-radius:.875rem;padding:1.75rem;box-shadow:0 10px 28px -14px rgb(0 0 0/.2)}
main:focus{outline:0}
main>:last-child,section>:last-child,li>:last-child,form>:last-child,dl>:last-child{margin-bottom:0}
footer{display:flex;flex-wrap:wrap;align-items:center;gap:0 1.25rem;padding:.75rem .25rem 0;font-size:.875rem;color:var(--muted)}
footer p{margin:0;line-height:2.75rem}
footer a{display:inline-block}
.ref{white-space:nowrap}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25;font-weight:650;text-wrap:balance}
h2{margin:0 0 .75rem;font-size:1.0625rem;line-height:1.35}
p,ul,ol,dl{margin:0 0 1rem}
a{color:var(--accent)}
a:hover{color:var(--text)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:.25rem}
label{display:inline-block;font-weight:600;margin-bottom:.25rem}
h1 label{font-weight:inherit;margin:0}
.field{margin-bottom:1.25rem}
.field p{margin:0 0 .375rem}
input:not([type=checkbox]){display:block;width:100%;min-height:2.875rem;padding:.5rem .75rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:.5rem}
input[aria-invalid]{border:2px solid var(--bad)}
.code:not([type=checkbox]){max-width:12rem;font-size:1.375rem;letter-spacing:.2em;font-variant-numeric:tabular-nums}
.mono,code{font-family:ui-monospace,Menlo,Consolas,monospace}
.check{display:flex;gap:.75rem;align-items:flex-start;min-height:2.75rem;padding:.5rem 0;margin:0;font-weight:400}
.check input{flex:none;width:1.375rem;height:1.375rem;margin:.0625rem 0 0}
.hint{color:var(--muted);font-size:.9375rem;font-weight:400}
.who,.host{color:var(--muted)}
.who strong{color:var(--text)}
h1+.host{margin-top:-.75rem}
.error{color:var(--bad);font-weight:600}
button,.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:2.875rem;padding:.5rem 1.25rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;color:var(--on);background:var(--accent);border:2px solid transparent;border-radius:.5rem;cursor:pointer}
button:hover,.button:hover{color:var(--on);background:color-mix(in srgb,var(--accent) 80%,var(--text))}
.quiet{color:var(--accent);background:transparent;border-color:var(--edge);border-width:1px}
.quiet:hover{color:var(--accent);background:var(--soft)}
.link{width:auto;padding:0;border:0;text-decoration:underline;font-weight:400}
.link,.link:hover{color:var(--accent);background:none}
form+p,form+details,form+.who{margin-top:1.25rem}
.aside{margin:.5rem 0 0}
.aside a,details p>a{display:inline-block;padding:.625rem 0}
summary{padding:.625rem 0;color:var(--accent);cursor:pointer}
details{margin-bottom:.5rem}
.es,.notice{padding:.875rem 1rem;margin:0 0 1.25rem;border-radius:.5rem;background:var(--soft);border-left:4px solid var(--accent)}
.es{background:var(--badsoft);border-color:var(--bad)}
.es h2{margin-bottom:.25rem}
.es ul{margin:0;padding:0;list-style:none}
.es a{display:inline-block;padding:.375rem 0;color:var(--bad);font-weight:600}
section{padding:1.25rem 0;border-top:1px solid var(--line)}
dl{display:grid;grid-template-columns:auto minmax(60%,1fr);gap:.375rem 1rem}
dt{color:var(--muted)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
.cards{padding:0;list-style:none}
.cards li{padding:1rem;border:1px solid var(--line);border-radius:.625rem}
.cards li+li{margin-top:.75rem}
.cards dl{margin-top:.5rem}
.cards .hint{display:block}
.tag{display:inline-block;padding:0 .625rem;border-radius:1rem;background:var(--soft);font-size:.875rem}
.steps{padding-left:1.25rem}
.steps>li{padding-left:.25rem}
.steps>li+li{margin-top:1.25rem}
.steps>li::marker{color:var(--accent);font-weight:700}
.qr{width:15rem;max-width:100%;margin:0 auto .75rem;background:#fff;border-radius:.5rem;overflow:hidden;forced-color-adjust:none}
.qr svg{display:block;width:100%;height:auto;fill:#000}
.key{font-size:1.0625rem;word-spacing:.15em}
.codes{display:grid;gap:.25rem;padding:1rem 1rem 1rem 3rem;border:1px solid var(--line);border-radius:.625rem;background:var(--bg);font-size:1.0625rem}
.codes li::marker{color:var(--muted);font-size:.875rem}
.vh,.vh:not([type=checkbox]){position:absolute;width:1px;height:1px;min-height:0;padding:0;margin:-1px;border:0;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:1rem;top:-6rem;padding:.625rem 1rem;background:var(--card);border-radius:.5rem;z-index:1}
.skip:focus{top:.5rem}
@media (hover:hover) and (pointer:fine){.touch{display:none}}
@media (max-width:26rem){main{padding:1.25rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}.codes{padding-left:2.5rem}}
@media (min-width:40rem) and (min-height:48rem){body{padding-top:8vh}}
@media (forced-colors:active){.es,.notice,.tag{border:2px solid}.mark{color:CanvasText}}
@media print{:root{color-scheme:light}body{padding:0;background:none}main{border:0;padding:0;box-shadow:none}footer,form,.es,.skip,.screen{display:none}.codes{background:none;line-height:2}}
`
