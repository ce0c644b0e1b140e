package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A {@link ScriptPlan} as a picture: for each bank of RAM and each flash device a strip drawn to
 * scale, a second, enlarged one where the first would show next to nothing, and below it a lane for
 * each thing that is there or happens there.
 */
final class PlanSvg {
  private static final int WIDTH = 1000;
  private static final int LEFT = 24;
  private static final int STRIP = WIDTH - 2 * LEFT;
  private static final int STRIP_HEIGHT = 22;
  private static final int LANE = 21;
  private static final int BAR = 13;
  private static final double CHARACTER = 7.25;
  private static final int TEXT_COLUMNS = (int) (STRIP / CHARACTER);
  private static final int TICKS = 4;

  private final ScriptPlan plan;
  private final StringBuilder body = new StringBuilder();
  private int y = 40;

  PlanSvg(ScriptPlan plan) {
    this.plan = plan;
  }

  String render() {
    boolean safe = plan.problems().isEmpty();
    text(LEFT, y, "title", "What the script does");
    text(
        WIDTH - LEFT,
        y,
        safe ? "verdict good end" : "verdict bad end",
        safe ? "nothing speaks against it" : "REFUSED");
    y += 14;
    for (PlanSpace space : PlanSpace.of(plan)) {
      space(space);
    }
    problems();
    return header() + body + "</svg>\n";
  }

  private void space(PlanSpace space) {
    y += 30;
    AddressRange whole = new AddressRange(0, space.size());
    text(LEFT, y, "heading", space.title());
    text(WIDTH - LEFT, y, "quiet end", PlanSpace.readable(space.size()));
    y += 9;
    strip(space, whole);
    Optional<AddressRange> enlarged = space.enlarged();
    AddressRange window = enlarged.orElse(whole);
    if (enlarged.isPresent()) {
      ticks(space, whole);
      funnel(window, whole);
      strip(space, window);
    }
    ticks(space, window);
    y += 6;
    for (PlanSpace.Block block : space.blocks()) {
      if (overlaps(block, window)) {
        lane(space, block, window);
      } else {
        elsewhere(space, block);
      }
    }
  }

  private static boolean overlaps(PlanSpace.Block block, AddressRange window) {
    return block.end() > window.start() && block.offset() < window.end();
  }

  private void strip(PlanSpace space, AddressRange window) {
    rect(LEFT, y, STRIP, STRIP_HEIGHT, "ground");
    for (PlanSpace.Block block : space.blocks()) {
      if (overlaps(block, window)) {
        bar(block, window, y, STRIP_HEIGHT);
      }
    }
    rect(LEFT, y, STRIP, STRIP_HEIGHT, "frame");
    y += STRIP_HEIGHT;
  }

  /** To scale, but never so narrow that it cannot be seen. */
  private void bar(PlanSpace.Block block, AddressRange window, int top, int height) {
    double from = x(Math.max(block.offset(), window.start()), window);
    double to = x(Math.min(block.end(), window.end()), window);
    rect(from, top, Math.max(1.5, to - from), height, style(block.look()));
  }

  private static double x(long offset, AddressRange window) {
    return LEFT + (double) (offset - window.start()) / window.size() * STRIP;
  }

  private static String style(PlanSpace.Look look) {
    return look.name().toLowerCase(Locale.ROOT);
  }

  private void ticks(PlanSpace space, AddressRange window) {
    y += 13;
    for (int i = 0; i <= TICKS; i++) {
      long offset = window.start() + window.size() * i / TICKS;
      String align = i == 0 ? "" : i == TICKS ? " end" : " middle";
      line(x(offset, window), y - 13, x(offset, window), y - 9, "tick");
      text(x(offset, window), y, "scale" + align, "0x%x".formatted(space.base() + offset));
    }
  }

  /** From the part of the strip above to the whole of the strip below. */
  private void funnel(AddressRange window, AddressRange whole) {
    int top = y - 13;
    y += 14;
    double left = x(window.start(), whole);
    double right = x(window.end(), whole);
    body.append(
        "<path class=\"funnel\" d=\"M%.1f %d L%.1f %d L%d %d L%d %d Z\"/>%n"
            .formatted(left, top, right, top, LEFT + STRIP, y, LEFT, y));
  }

  private void lane(PlanSpace space, PlanSpace.Block block, AddressRange window) {
    int top = y + (LANE - BAR) / 2;
    line(LEFT, y + LANE - 0.5, LEFT + STRIP, y + LANE - 0.5, "rule");
    bar(block, window, top, BAR);
    double from = x(Math.max(block.offset(), window.start()), window);
    double to = Math.max(from + 1.5, x(Math.min(block.end(), window.end()), window));
    String label =
        "%s  %s, %s"
            .formatted(
                block.label(),
                space.addresses(block.offset(), block.size()),
                PlanSpace.readable(block.size()));
    double width = label.length() * CHARACTER;
    double baseline = y + LANE - 6;
    if (to + 8 + width <= LEFT + STRIP) {
      text(to + 8, baseline, "label", label);
    } else if (from - 8 - width >= LEFT) {
      text(from - 8, baseline, "label end", label);
    } else {
      text(from + 6, baseline, "label on", label);
    }
    y += LANE;
  }

  private void elsewhere(PlanSpace space, PlanSpace.Block block) {
    line(LEFT, y + LANE - 0.5, LEFT + STRIP, y + LANE - 0.5, "rule");
    text(
        WIDTH - LEFT,
        y + LANE - 6,
        "quiet end",
        "not in the enlarged part: %s  %s, %s"
            .formatted(
                block.label(),
                space.addresses(block.offset(), block.size()),
                PlanSpace.readable(block.size())));
    y += LANE;
  }

  private void problems() {
    if (!plan.problems().isEmpty()) {
      y += 34;
      text(LEFT, y, "heading bad", "Why it is refused");
      for (PlanProblem problem : plan.problems()) {
        y += 6;
        for (String row : wrap(problem.toString())) {
          y += 17;
          text(LEFT, y, "label", row);
        }
      }
    }
    y += 24;
  }

  private static List<String> wrap(String text) {
    List<String> rows = new ArrayList<>();
    StringBuilder row = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      if (row.length() + word.length() + 1 > TEXT_COLUMNS) {
        rows.add(row.toString());
        row = new StringBuilder("   ");
      }
      row.append(row.isEmpty() ? "" : " ").append(word);
    }
    rows.add(row.toString());
    return rows;
  }

  private void rect(double x, double top, double width, double height, String style) {
    body.append(
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>%n"
            .formatted(style, x, top, width, height));
  }

  private void line(double x1, double y1, double x2, double y2, String style) {
    body.append(
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>%n"
            .formatted(style, x1, y1, x2, y2));
  }

  private void text(double x, double baseline, String style, String text) {
    body.append(
        "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" xml:space=\"preserve\">%s</text>%n"
            .formatted(style, x, baseline, escape(text)));
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private String header() {
    return """
        <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d">
        <style>
        text { font: 12px "DejaVu Sans Mono", "Liberation Mono", monospace; fill: #1f2933; }
        .title { font: bold 18px "DejaVu Sans", "Liberation Sans", sans-serif; }
        .heading { font: bold 14px "DejaVu Sans", "Liberation Sans", sans-serif; }
        .verdict { font: bold 13px "DejaVu Sans", "Liberation Sans", sans-serif; }
        .good { fill: #1a7f37; } .bad { fill: #b42318; }
        .quiet, .scale { fill: #52606d; } .scale { font-size: 10px; }
        .end { text-anchor: end; } .middle { text-anchor: middle; }
        .on { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
        .ground { fill: #f1f4f7; } .frame { fill: none; stroke: #7b8794; }
        .tick { stroke: #7b8794; } .rule { stroke: #e4e9ee; }
        .funnel { fill: #e4e9ee; fill-opacity: 0.6; stroke: #cbd2d9; }
        .kept { fill: #52606d; } .partition { fill: #cbd8e6; }
        .loaded { fill: #2f7dd1; } .unpacked { fill: #1f9e94; } .started { fill: #3f9142; }
        .erased { fill: url(#hatch); stroke: #d9822b; } .written { fill: #2f7dd1; fill-opacity: 0.85; }
        </style>
        <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" fill="#fdf1e0"/><rect width="2.5" height="6" fill="#d9822b"/></pattern></defs>
        <rect width="100%%" height="100%%" fill="#ffffff"/>
        """
        .formatted(WIDTH, y);
  }
}
