import { offerCsv } from './csv-buttons.js';
import { drawFigures } from './figures.js';
import { readData } from './read-data.js';

// What stands in the page is whole without any of this: nothing is taken away that was not drawn anew.
offerCsv(document);
void readData(document).then((data) => {
  if (data !== undefined) drawFigures(document, data);
  document.documentElement.classList.add('drawn');
});
