"""How a page looks: on a telephone and on a wide screen, in light, in dark and on paper."""

from pgml.plots.palette import DARK, FONT, LIGHT, Scheme


def _colours(scheme: Scheme, page: str, strong: str) -> str:
    return (
        f"--surface:{scheme.surface};--page:{page};--text:{scheme.text};--muted:{scheme.muted};"
        f"--line:{scheme.grid};--strong:{strong};--mark:{scheme.series[0]};--warn:{scheme.series[1]}"
    )


_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);line-height:1.5;font-size:15px;
font-family:FONT;overflow-wrap:anywhere}
main{max-width:1320px;margin:0 auto;padding:24px 16px 48px}
header{margin-bottom:20px}
h1{font-size:clamp(22px,5vw,32px);line-height:1.2;margin:0 0 6px}
h2{font-size:19px;margin:34px 0 12px}
p{margin:0 0 10px}
.note,caption,dt,.what{color:var(--muted)}
.note{font-size:13.5px;margin-top:8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,150px),1fr));gap:12px}
.tile,.card,figure{background:var(--surface);border:1px solid var(--line);border-radius:10px}
.tile{padding:14px 16px}
.what{display:block;font-size:13px}
.value{display:block;font-size:24px;font-weight:600;line-height:1.25}
.card{padding:14px 16px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:16px}
.cards>*{min-width:0}
.pictures{columns:370px;column-gap:16px}
figure{margin:0 0 16px;overflow:hidden;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
dl{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:5px 16px;margin:0}
dd{margin:0;min-width:0}
dt{font-size:14px}
h3{font-size:15px;margin:0 0 10px}
.scroll{overflow-x:auto;width:fit-content;max-width:100%;
background:var(--surface);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;min-width:min(100%,320px);font-size:14px}
caption{text-align:left;padding:10px 14px 4px;font-size:13px}
th,td{text-align:left;padding:6px 14px;border-top:1px solid var(--line);vertical-align:top;min-width:70px;
max-width:340px;overflow-wrap:break-word}
th{font-weight:600;border-top:0;border-bottom:1px solid var(--strong)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.live{color:var(--warn);font-weight:600}
pre{margin:0 0 10px;padding:12px 14px;background:var(--surface);border:1px solid var(--line);
border-radius:10px;white-space:pre-wrap;font-size:13px;line-height:1.45;
font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
ul{margin:0;padding-left:20px}
li{margin-bottom:5px}
.bar{display:inline-block;
height:9px;border-radius:3px;background:var(--mark);vertical-align:baseline;min-width:1px}
footer{margin-top:40px;color:var(--muted);font-size:13px;border-top:1px solid var(--line);padding-top:12px}
@media (max-width:480px){main{padding:16px 12px 32px}th,td{padding:6px 10px}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:8px}}
@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}
.pictures{columns:2}
.scroll{overflow:visible}h2{break-after:avoid}tr,.card,.tile,pre{break-inside:avoid}}
"""
STYLE = (
    f":root{{{_colours(LIGHT, '#f4f6f8', '#c6cdd5')};color-scheme:light dark}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_colours(DARK, '#0a0d12', '#3a4553')}}}}}"
    f"{_RULES.replace('FONT', FONT)}"
)
