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
  private static final int LANE = 30;
  private static final int BAR = 9;
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
    Optional<AddressRange> enlarged = space.enlarged();
    AddressRange window = enlarged.orElse(whole);
    if (enlarged.isPresent()) {
      y += 24;
      ticks(space, whole, -4);
      strip(space, whole);
      funnel(window, whole);
    } else {
      y += 9;
    }
    strip(space, window);
    y += 13;
    ticks(space, window, 13);
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
    harm(space, window);
    rect(LEFT, y, STRIP, STRIP_HEIGHT, "frame");
    y += STRIP_HEIGHT;
  }

  /** Where something is done to what must be kept. */
  private void harm(PlanSpace space, AddressRange window) {
    for (PlanSpace.Block kept : space.blocks()) {
      for (PlanSpace.Block block : space.blocks()) {
        long from = Math.max(kept.offset(), block.offset());
        long to = Math.min(kept.end(), block.end());
        boolean harmed =
            kept.look() == PlanSpace.Look.KEPT
                && block.look() != PlanSpace.Look.KEPT
                && block.look() != PlanSpace.Look.PARTITION;
        if (harmed && from < to && from < window.end() && to > window.start()) {
          double left = x(Math.max(from, window.start()), window);
          double right = x(Math.min(to, window.end()), window);
          rect(left, y, Math.max(1.5, right - left), STRIP_HEIGHT, "harm");
        }
      }
    }
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

  /** Addresses along a strip, whose edge is that far above the text, or below. */
  private void ticks(PlanSpace space, AddressRange window, int toEdge) {
    int edge = y - toEdge + (toEdge < 0 ? -4 : 0);
    int baseline = toEdge < 0 ? edge - 6 : y;
    for (int i = 0; i <= TICKS; i++) {
      long offset = window.start() + window.size() * i / TICKS;
      String align = i == 0 ? "" : i == TICKS ? " end" : " middle";
      line(x(offset, window), edge, x(offset, window), edge + (toEdge < 0 ? -4 : 4), "tick");
      text(x(offset, window), baseline, "scale" + align, "0x%x".formatted(space.base() + offset));
    }
  }

  /** From the part of the strip above to the whole of the strip below. */
  private void funnel(AddressRange window, AddressRange whole) {
    int top = y;
    y += 18;
    double left = x(window.start(), whole);
    double right = x(window.end(), whole);
    body.append(
        "<path class=\"funnel\" d=\"M%.1f %d L%.1f %d L%d %d L%d %d Z\"/>%n"
            .formatted(left, top, right, top, LEFT + STRIP, y, LEFT, y));
  }

  private void lane(PlanSpace space, PlanSpace.Block block, AddressRange window) {
    double from = x(Math.max(block.offset(), window.start()), window);
    double to = Math.max(from + 1.5, x(Math.min(block.end(), window.end()), window));
    String label = label(space, block);
    boolean fits = from + label.length() * CHARACTER <= LEFT + STRIP;
    text(fits ? from : to, y + 13, fits ? "label" : "label end", label);
    bar(block, window, y + 17, BAR);
    line(LEFT, y + LANE - 0.5, LEFT + STRIP, y + LANE - 0.5, "rule");
    y += LANE;
  }

  private static String label(PlanSpace space, PlanSpace.Block block) {
    return "%s  %s, %s"
        .formatted(
            block.label(),
            space.addresses(block.offset(), block.size()),
            PlanSpace.readable(block.size()));
  }

  private void elsewhere(PlanSpace space, PlanSpace.Block block) {
    text(LEFT, y + 13, "quiet", "elsewhere: " + label(space, block));
    line(LEFT, y + 19.5, LEFT + STRIP, y + 19.5, "rule");
    y += 20;
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
        .ground { fill: #f1f4f7; } .frame { fill: none; stroke: #7b8794; }
        .tick { stroke: #7b8794; } .rule { stroke: #e4e9ee; }
        .funnel { fill: #e4e9ee; fill-opacity: 0.6; stroke: #cbd2d9; }
        .kept { fill: #52606d; } .partition { fill: #cbd8e6; }
        .loaded { fill: #2f7dd1; } .unpacked { fill: #1f9e94; } .started { fill: #3f9142; }
        .erased { fill: url(#hatch); stroke: #d9822b; } .written { fill: #2f7dd1; } .harm { fill: #d92d20; }
        </style>
        <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" fill="#fdf1e0"/><rect width="2.5" height="6" fill="#d9822b"/></pattern></defs>
        <rect width="100%%" height="100%%" fill="#ffffff"/>
        """
        .formatted(WIDTH, y);
  }
}
