// Sliders of the Margin page: prices go to the engine, its figures come back as text.

const KEPT = ["time", "conversion", "interval"];

/** The decimals of a price as it is written. */
const places = (text) => (text.split(".")[1] ?? "").length;

function connect(fields, api) {
  const sliders = [...fields.querySelectorAll(".us-slider")].map((node) => ({
    name: node.dataset.name,
    over: node.dataset.over,
    price: node.dataset.price,
    range: node.querySelector("input[type=range]"),
    text: node.querySelector("input[type=text]"),
    change: node.querySelector("output"),
  }));
  const over = fields.querySelector("#us-over");
  const told = document.getElementById("us-told");
  let timer;
  let asked = 0;

  const moved = (slider, percent) => {
    slider.range.value = percent;
    slider.text.value =
      Number(percent) === 0
        ? slider.price
        : (Number(slider.price) * (1 + percent / 100)).toFixed(Math.max(2, places(slider.price)));
    say(slider, percent);
  };
  const say = (slider, percent) => {
    slider.change.textContent = `${percent > 0 ? "+" : ""}${Number(percent).toFixed(1)} %`;
  };
  const along = (slider) => {
    if (!over?.checked) return;
    for (const other of sliders) {
      if (other.over === slider.name) moved(other, slider.range.value);
    }
  };

  const show = (figures) => {
    for (const node of document.querySelectorAll("[data-figure]")) {
      const figure = figures[node.dataset.figure];
      if (!figure) continue;
      node.textContent = figure.shown;
      if (node.dataset.state !== undefined) node.dataset.state = figure.shown;
      else node.value = figure.exact;
    }
    for (const node of document.querySelectorAll("[data-meter]")) {
      const figure = figures[node.dataset.meter];
      if (!figure) continue;
      node.firstElementChild.style.setProperty("--part", figure.part);
      node.dataset.level = figure.level;
      node.setAttribute("aria-valuenow", figure.part);
      node.setAttribute("aria-valuetext", figure.shown);
    }
  };

  const ask = async () => {
    const number = ++asked;
    const prices = sliders
      .filter((slider) => slider.text.value.trim() !== slider.price)
      .map((slider) => `${slider.name}=${slider.text.value.trim()}`);
    const params = { prices: prices.join(",") };
    const here = new URLSearchParams(location.search);
    for (const name of KEPT) if (here.get(name)) params[name] = here.get(name);
    const response = await api.request("whatif", "GET", params, undefined, "raw");
    const answer = await response.json().catch(() => ({ error: `Fava answered ${response.status}` }));
    if (number !== asked) return; // a later question is on its way
    told.textContent = answer.error ?? "";
    if (answer.figures) show(answer.figures);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask().catch((error) => { told.textContent = String(error); }), 60);
  };

  for (const slider of sliders) {
    slider.range.addEventListener("input", () => {
      moved(slider, slider.range.value);
      along(slider);
      soon();
    });
    slider.text.addEventListener("input", () => {
      const percent = (Number(slider.text.value) / Number(slider.price) - 1) * 100;
      if (!Number.isFinite(percent)) return;
      slider.range.value = percent;
      say(slider, percent);
      soon();
    });
  }
  fields.querySelector("#us-reset").addEventListener("click", () => {
    for (const slider of sliders) moved(slider, 0);
    soon();
  });
  fields.disabled = false;
}

export default {
  onExtensionPageLoad({ api }) {
    const fields = document.querySelector("#us-whatif fieldset");
    if (fields) connect(fields, api);
  },
};
