"""Texts that are dear to read, cut to the length that is asked for: for tests, fuzzing and benchmarks."""

from __future__ import annotations

from itertools import cycle, islice

# Each is repeated. Together they touch every rule of the grammar, and what has hurt other parsers.
# fmt: off
UNITS = (
    "[", "]", "![[[", "](", "[a](", "[a](b)", '[a](b "', "[a](<", "[[a]] ", "[x][y] ", "![a](b) ",
    "[a]: b\n", "*", "_", "*a ", "*a* ", "a*", "**a", "*_", "*_*", "**a *b ", "***a*** ", "***a", "*a*b",
    "_a ", "_a_ ", "`", "`a", "`a` ", "`` ` ", "`\n", "```\n", "```\na\n", "~", "~~~\n", "\\", "\\*",
    "\\\n", "<", ">", "&", "<b>", "</p>", "<!--", "&amp;", "&lt;", "&#1;", "&#x", "<http://a>",
    "<http://a.b> ", "<a@b.c>", "- ", "-\n", "- a\n", "- a\n\n", "- - - a\n", "- - - a\nb\n", "- *a*\n",
    "- `a\n", "- \t a\n", "* * *\n", "1. ", "1. a\n", "1. a\n3. b\n", "1) a\n2. b\n", "999999999. a\n",
    "- a\n\n  b\n", "- a\n  ", "> ", ">\t", "> a\n", "> a\n\n", "> > > a\n", "> > > a\nb\n", "> - ",
    "> - > - a\n", "- > - > a\n", "\n", "a\n", "a\n\n", "a  \n", "a\\\n", "    a\n", "    a\n\n", "    \n",
    " a\n", "\t", "\t\n", "a\t", "---\n", "http://", "http://a ", "http://a.b ", "https://a.b/c_d ",
    "(http://a", "http://a)))))", "http://a?&", "://", ":", "|a|b|\n", "|-|-|\n", "# a\n", "a\n===\n",
    "**a** [b](http://c) `d`\n", "[a](http://x.org) ", "[a](x) ", "é", "我", "👨‍👩‍👧 ", "e\u0301", "\u0301",
    "\u0301\u0316", "\u202e", "\u200d", "\ufdfa", "\U0001d160", "\x01", "\r",
    "[a](http://x.org/" + "x" * 100 + ") ", "[a](" + "(x)" * 20, "[a](" + "x" * 290,
    "<script>alert(1)</script>",
)
# fmt: on


def texts(length: int) -> dict[str, str]:
    """Name and text, at most `length` characters long."""
    half = length // 2
    long = {unit: "".join(islice(cycle(unit), length)) for unit in UNITS}
    long["brackets that close"] = "[" * half + "]" * half
    long["emphasis that closes"] = "*a " * (length // 6) + "a* " * (length // 6)
    long["asterisks around a letter"] = "*" * half + "a" + "*" * half
    long["backticks of growing length"] = " ".join("`" * run for run in range(1, 200))
    long["quotes, then spaces"] = "> > > >" + " " * length
    long["a list, then lazy lines"] = "- - - a\n" + "b\n" * half
    long["a quote, then lazy lines"] = "> > > > > > > a\n" + "b\n" * half
    long["a target that does not end"] = "[a](http://x" + "(" * length
    long["an address that does not end"] = "http://" + "x" * length
    long["closing parentheses"] = "http://x" + ")" * length
    long["full stops"] = "http://x" + "." * length
    long["one word"] = "x" * length
    long["titles that do not end"] = '[a](b "' + "x" * half + "[a](b '" + "x" * half
    return {name: text[:length] for name, text in long.items()}


def prose(length: int) -> str:
    """What most comments are: plain sentences in short paragraphs."""
    sentence = (
        "I grew up near the sea, and my grandmother's kitchen smelled of salt; I was back there at once. "
    )
    return "".join(islice(cycle(sentence * 4 + "\n\n"), length))
