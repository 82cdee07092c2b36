/* chart.h - horizontal bars in groups, as inline SVG.
 *
 * Every bar carries its name and its number, so that the chart needs no legend and can be read
 * without colours. Colours come from the page's style sheet: a bar has the class "bar-" + its kind.
 */
#ifndef ARENITE_BENCH_CHART_H
#define ARENITE_BENCH_CHART_H

#include <stdio.h>

enum { CHART_BARS_MAX = 160 };

struct chart_bar {
  const char *group; /* the same pointer for all bars of a group */
  char label[32];
  const char *kind;
  double value;
  int decimals;
};

struct chart {
  char id[64];           /* unique in the page */
  char title[96];        /* above the bars */
  char alternative[512]; /* what the chart shows, for those who do not see it */
  struct chart_bar bars[CHART_BARS_MAX];
  int count;
};

void chart_write(const struct chart *chart, FILE *out);

/* Writes text with what HTML would take for markup escaped. */
void chart_text(const char *text, FILE *out);

#endif
