// Runs inside the mockup: clicks through it, measures every screen and lets axe look at it; tells the page around it.
(async () => {
  const rest = () => new Promise((done) => setTimeout(done, 40));
  const screens = () =>
    [...document.querySelectorAll("[data-screen]")].filter((e) => getComputedStyle(e).display !== "none").map((e) => e.id);
  const seen = (e) => e.getClientRects().length > 0;
  const screenOf = (id) => document.getElementById(id)?.closest("[data-screen]")?.id;
  Object.assign(report, { start: screens(), visited: [], lost: [], wide: [], axe: [], requests: [], runs: 0 });
  const look = async (where) => {
    report.runs += 1;
    if (document.documentElement.scrollWidth > innerWidth) report.wide.push(`${where}: ${document.documentElement.scrollWidth}`);
    const tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
    const result = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
    for (const v of result.violations) report.axe.push(`${where}: ${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
  };
  try {
    const todo = ["home"];
    while (todo.length) {
      const id = todo.shift();
      if (report.visited.includes(id)) continue;
      report.visited.push(id);
      const go = async () => { location.hash = "#" + id; await rest(); };
      await go();
      await look(id);
      for (const state of ["empty", "busy", "error"]) {
        const switches = [...document.querySelectorAll(".v-" + state)].filter(seen);
        if (!switches.length) continue;
        switches.forEach((s) => s.click());
        for (const piece of [...document.querySelectorAll("[data-piece]")].filter(seen)) {
          const shown = [...piece.querySelectorAll("[data-state]")].filter(seen).map((e) => e.dataset.state);
          if (shown.join() !== state) report.lost.push(`${id}: a piece shows ${shown.join()} instead of ${state}`);
        }
        await look(`${id} (${state})`);
      }
      document.querySelectorAll(".v-filled").forEach((s) => s.click());
      const links = [...document.querySelectorAll('a[href^="#"]')].filter(seen);
      for (const href of new Set(links.map((a) => a.getAttribute("href")))) {
        const to = screenOf(href.slice(1));
        if (!to || report.visited.includes(to) || todo.includes(to)) continue;
        links.find((a) => a.getAttribute("href") === href).click();
        await rest();
        if (screens().join() !== to) report.lost.push(`${id}: ${href} shows ${screens().join()}`);
        todo.push(to);
        await go();
      }
    }
    const all = [...document.querySelectorAll("[data-screen]")].map((e) => e.id);
    report.lost.push(...all.filter((id) => !report.visited.includes(id)).map((id) => `${id} is never reached`));
    report.requests = performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !/\/(axe\.min|look)\.js$/.test(n));
  } catch (error) {
    report.lost.push(String(error));
  }
  parent.postMessage(report, "*");
})();
