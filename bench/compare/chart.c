/* chart.c - see chart.h. */
#include "chart.h"

#include "report.h"

#include <math.h>

/* In the units of the drawing, which the page scales. */
enum {
  WIDTH = 460,
  BARS_X = 112,
  BARS_WIDTH = 284, /* what is left is for the number behind the longest bar */
  TITLE_HEIGHT = 26,
  GROUP_HEIGHT = 24,
  BAR_PITCH = 20,
  BAR_HEIGHT = 14,
  GROUP_GAP = 8
};

void chart_text(const char *text, FILE *out) {
  for (; *text != '\0'; text++)
    switch (*text) {
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '&':
      fputs("&amp;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    default:
      fputc(*text, out);
    }
}

static int height(const struct chart *chart) {
  int sum = TITLE_HEIGHT;
  for (int i = 0; i < chart->count; i++)
    sum += BAR_PITCH + (i == 0 || chart->bars[i].group != chart->bars[i - 1].group
                            ? GROUP_HEIGHT + (i > 0 ? GROUP_GAP : 0)
                            : 0);
  return sum + 4;
}

static void write_bar(const struct chart_bar *bar, double most, int y, FILE *out) {
  char value[40];
  report_number(bar->value, bar->decimals, value, sizeof value);
  double length = isfinite(bar->value) && most > 0 ? bar->value / most * BARS_WIDTH : 0;
  fprintf(out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">", BARS_X - 8,
          y + BAR_HEIGHT - 2);
  chart_text(bar->label, out);
  fprintf(out,
          "</text><rect class=\"bar-%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>"
          "<text class=\"value\" x=\"%.1f\" y=\"%d\">%s</text>\n",
          bar->kind, BARS_X, y, fmax(length, 1), BAR_HEIGHT, BARS_X + length + 6,
          y + BAR_HEIGHT - 2, value);
}

void chart_write(const struct chart *chart, FILE *out) {
  double most = 0;
  for (int i = 0; i < chart->count; i++)
    most = fmax(most, chart->bars[i].value);
  fprintf(out,
          "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-t %s-d\">\n"
          "<title id=\"%s-t\">",
          WIDTH, height(chart), chart->id, chart->id, chart->id);
  chart_text(chart->title, out);
  fprintf(out, "</title>\n<desc id=\"%s-d\">", chart->id);
  chart_text(chart->alternative, out);
  fprintf(out, "</desc>\n<text class=\"title\" x=\"0\" y=\"15\">");
  chart_text(chart->title, out);
  fprintf(out, "</text>\n");
  int y = TITLE_HEIGHT, group_y = y;
  for (int i = 0; i < chart->count; i++) {
    const struct chart_bar *bar = &chart->bars[i];
    if (i == 0 || bar->group != bar[-1].group) {
      y += i > 0 ? GROUP_GAP : 0;
      fprintf(out, "<text class=\"group\" x=\"%d\" y=\"%d\">", BARS_X, y + 16);
      chart_text(bar->group, out);
      fprintf(out, "</text>\n");
      y += GROUP_HEIGHT;
      group_y = y;
    }
    write_bar(bar, most, y, out);
    y += BAR_PITCH;
    if (i + 1 == chart->count || bar->group != bar[1].group)
      fprintf(out, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", BARS_X,
              group_y - 3, BARS_X, y - 3);
  }
  fprintf(out, "</svg>\n");
}
