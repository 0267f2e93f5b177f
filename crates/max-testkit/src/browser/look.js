// Runs inside a page: says what axe objects to, what is wider than the window and what was asked of anybody.
(async () => {
  report.wrong = [];
  try {
    await document.fonts.ready;
    const wide = document.documentElement.scrollWidth;
    if (wide > innerWidth) {
      const far = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
      report.wrong.push(`${wide} pixels wide: ${far.slice(0, 2).map((e) => e.outerHTML.slice(0, 120)).join(" | ")}`);
    }
    // What stands in frames of the page is looked at as a page of its own.
    const tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
    const result = await axe.run(document, { runOnly: tags, resultTypes: ["violations"], iframes: false });
    for (const v of result.violations) report.wrong.push(`${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
    if (!result.passes.length) report.wrong.push("axe found nothing to look at");
    const own = (name) => /\/(axe\.min|look)\.js$/.test(name) || name.startsWith("data:");
    const asked = performance.getEntriesByType("resource").map((e) => e.name).filter((name) => !own(name));
    report.wrong.push(...asked.map((name) => `it asks for ${name}`));
  } catch (error) {
    report.wrong.push(String(error));
  }
  parent.postMessage(report, "*");
})();
