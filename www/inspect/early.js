// Before anything is painted: which section the address asks for, and that what a script fills is
// seen once it is full, so that nothing moves when the rest has loaded.
const [, wanted] = location.hash.match(/^#(inspect|verify|policy|attacks)\b/) ?? [];
if (wanted) document.documentElement.dataset.view = wanted;
document.documentElement.dataset.filling = 'true';
