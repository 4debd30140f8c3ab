// Sliders of the Margin page: they send prices to the engine, which returns figures as text.

const KEPT = ["time", "conversion", "interval"];

/** A price that the engine accepts. */
const PRICE = /^(?=.*[1-9])[0-9]{1,30}(\.[0-9]{1,30})?$/;

/** A moved price: as many decimals as before, but at least two, and at least five digits. */
const written = (price, percent) => {
  if (percent === 0) return price;
  const moved = Number(price) * (1 + percent / 100);
  const digits = 4 - Math.floor(Math.log10(moved));
  return moved.toFixed(Math.min(30, Math.max(2, digits, (price.split(".")[1] ?? "").length)));
};

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
  const message = document.getElementById("us-told");
  let timer;
  let asked = 0;

  const moved = (slider, percent) => {
    slider.range.value = percent;
    slider.text.value = written(slider.price, percent);
    say(slider, percent);
  };
  const say = (slider, percent) => {
    slider.percent = percent;
    slider.change.textContent = `${percent > 0 ? "+" : ""}${percent.toFixed(1)} %`;
    slider.text.ariaInvalid = String(!PRICE.test(slider.text.value.trim()));
  };
  const along = (slider, percent) => {
    if (!over?.checked) return;
    for (const other of sliders) {
      if (other.over === slider.name) moved(other, percent);
    }
  };

  const show = (figures) => {
    for (const node of document.querySelectorAll("[data-figure]")) {
      const figure = figures[node.dataset.figure];
      if (!figure) continue;
      node.textContent = figure.shown;
      if (node.dataset.state !== undefined) node.dataset.state = figure.shown;
      else if (node.dataset.text === undefined) {
        node.value = figure.exact;
        node.title = figure.exact;
      }
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
    const unread = sliders.find((slider) => slider.text.ariaInvalid === "true");
    if (unread) {
      message.textContent = `\u201c${unread.text.value}\u201d is not a price of ${unread.name}. Write digits and one decimal point, for example 120.5. Until then the figures do not change.`;
      return;
    }
    const prices = sliders
      .filter((slider) => slider.text.value.trim() !== slider.price)
      .map((slider) => `${slider.name}=${slider.text.value.trim()}`);
    const params = { prices: prices.join(",") };
    const here = new URLSearchParams(location.search);
    for (const name of KEPT) if (here.get(name)) params[name] = here.get(name);
    const response = await api.request("whatif", "GET", params, undefined, "raw");
    const answer = await response.json().catch(() => ({ error: `Fava answered ${response.status}` }));
    if (number !== asked) return; // a later question is on its way
    message.textContent = answer.error ?? "";
    if (answer.figures) show(answer.figures);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ask().catch((error) => { message.textContent = `Fava does not answer: ${error.message}`; });
    }, 60);
  };

  for (const slider of sliders) {
    slider.range.addEventListener("input", () => {
      const percent = Number(slider.range.value);
      moved(slider, percent);
      along(slider, percent);
      soon();
    });
    slider.text.addEventListener("input", () => {
      const text = slider.text.value.trim();
      if (PRICE.test(text)) {
        const percent = (Number(text) / Number(slider.price) - 1) * 100;
        slider.range.value = percent;
        say(slider, percent);
        along(slider, percent);
      } else {
        slider.change.textContent = "\u2013";
        slider.text.ariaInvalid = "true";
      }
      soon();
    });
  }
  over?.addEventListener("change", () => {
    for (const slider of sliders) {
      if (slider.percent && slider.text.ariaInvalid !== "true") along(slider, slider.percent);
    }
    soon();
  });
  fields.querySelector("#us-reset").addEventListener("click", () => {
    for (const slider of sliders) moved(slider, 0);
    soon();
  });
  for (const button of fields.querySelectorAll("[data-shock]")) {
    button.addEventListener("click", () => {
      for (const slider of sliders) moved(slider, Number(button.dataset.shock));
      soon();
    });
  }
  fields.disabled = false;
}

export default {
  onExtensionPageLoad({ api }) {
    const fields = document.querySelector("#us-whatif fieldset");
    if (fields) connect(fields, api);
  },
};
