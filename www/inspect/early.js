// Before anything is painted: which section the address asks for, so that nothing moves when the
// rest has loaded.
const [, wanted] = location.hash.match(/^#(inspect|verify|policy|attacks)\b/) ?? [];
if (wanted) document.documentElement.dataset.view = wanted;
