// Light or dark, as the machine has it or as somebody has chosen. A plain script in the head, so that
// no page flashes up in the other one.

{
  const KEPT = "benchd.theme";
  const THEMES = ["light", "dark"];

  const kept = () => {
    const asked = new URLSearchParams(location.search).get("theme");
    if (THEMES.includes(asked)) return asked;
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null;
    }
  };

  const wear = (theme) => {
    if (THEMES.includes(theme)) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };

  wear(kept());
  addEventListener("benchd-theme", ({ detail }) => {
    wear(detail);
    try {
      if (THEMES.includes(detail)) localStorage.setItem(KEPT, detail);
      else localStorage.removeItem(KEPT);
    } catch {
      // A browser without storage forgets; the switch still works.
    }
  });
}
