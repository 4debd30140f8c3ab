// Adds to each generated transaction of a journal a link to its arithmetic.
// On its page: shows the transactions of a day whose row is opened, and copies the head digest.

const PAGE = new URL("../extension/UsanceVerify/", import.meta.url);

function link(entry) {
  const key = [...entry.querySelectorAll(":scope > dl.metadata > dt")].find(
    (node) => node.textContent === "usance:",
  );
  const place = entry.querySelector(":scope > p > .description");
  if (!key || !place || place.querySelector(".us-explain")) return;
  const url = new URL(PAGE);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (["time", "conversion", "interval"].includes(name)) url.searchParams.set(name, value);
  }
  url.searchParams.set("id", key.nextElementSibling.textContent.trim());
  const anchor = document.createElement("a");
  anchor.className = "us-explain";
  anchor.href = url.href;
  anchor.textContent = "explain";
  anchor.style.marginLeft = "8px";
  anchor.style.fontSize = ".9em";
  place.append(anchor);
}

/** Put the transactions of a day into its row, from the page of that day. */
async function fill(place) {
  place.removeAttribute("data-day");
  const response = await fetch(place.querySelector("a").href);
  const text = response.ok ? await response.text() : "";
  const day = new DOMParser().parseFromString(text, "text/html");
  const table = day.querySelector(".us-dayrow .us-scroll");
  if (table) place.replaceWith(document.importNode(table, true)); // else its link stays
}

export default {
  onExtensionPageLoad() {
    for (const row of document.querySelectorAll("article .us-dayrow")) {
      row.addEventListener("toggle", () => {
        const place = row.querySelector("[data-day]");
        if (row.open && place) fill(place).catch(() => {}); // the link leads there too
      });
    }
    for (const button of document.querySelectorAll("article [data-copy]")) {
      button.addEventListener("click", async () => {
        const place = document.getElementById(button.dataset.copy);
        try {
          await navigator.clipboard.writeText(place.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(place); // the person copies it
        }
      });
    }
  },
  init() {
    const look = (node) => {
      if (!(node instanceof Element)) return;
      if (node.matches(".journal > li.transaction")) link(node);
      else for (const entry of node.querySelectorAll(".journal > li.transaction")) link(entry);
    };
    new MutationObserver((changes) => {
      for (const change of changes) change.addedNodes.forEach(look);
    }).observe(document.body, { childList: true, subtree: true });
    look(document.body);
  },
};
