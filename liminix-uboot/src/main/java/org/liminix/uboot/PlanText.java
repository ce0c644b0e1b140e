package org.liminix.uboot;

import java.util.Optional;

/** A {@link ScriptPlan} for a terminal. */
final class PlanText {
  private static final int COLUMNS = 64;

  private final ScriptPlan plan;
  private final StringBuilder out = new StringBuilder();

  PlanText(ScriptPlan plan) {
    this.plan = plan;
  }

  String render() {
    for (PlanStep step : plan.steps()) {
      out.append(
          "line %-3d %-6s %-22s %s %s, %s%n"
              .formatted(
                  step.line(),
                  step.action().verb(),
                  step.content().isEmpty() ? "blocks" : step.content(),
                  step.place(),
                  step.range(),
                  PlanSpace.readable(step.range().size())));
    }
    for (PlanSpace space : PlanSpace.of(plan)) {
      Optional<AddressRange> enlarged = space.enlarged();
      map(space, new AddressRange(0, space.size()), space.title(), enlarged.isEmpty());
      enlarged.ifPresent(part -> map(space, part, space.title() + ", enlarged", true));
    }
    out.append(plan.problems().isEmpty() ? "\nNothing speaks against it.\n" : "\nREFUSED\n");
    plan.problems().forEach(problem -> out.append("  ").append(problem).append('\n'));
    return out.toString().replace(System.lineSeparator(), "\n");
  }

  private void map(PlanSpace space, AddressRange window, String title, boolean allBlocks) {
    out.append(
        "%n%s %s, %s; one column is %s%n"
            .formatted(
                title,
                space.addresses(window.start(), window.size()),
                PlanSpace.readable(window.size()),
                PlanSpace.readable(Math.max(1, window.size() / COLUMNS))));
    for (PlanSpace.Block block : space.blocks()) {
      boolean inside =
          new AddressRange(block.offset() < 0 ? 0 : block.offset(), block.size()).overlaps(window);
      if (inside) {
        out.append("  |").append(bar(block, window)).append("| ").append(block.label());
        if (allBlocks || block.look() == PlanSpace.Look.KEPT) {
          out.append(
              ", %s, %s"
                  .formatted(
                      space.addresses(block.offset(), block.size()),
                      PlanSpace.readable(block.size())));
        }
        out.append('\n');
      }
    }
  }

  /** A row of columns, those marked that the block reaches into. */
  private static String bar(PlanSpace.Block block, AddressRange window) {
    double scale = (double) COLUMNS / window.size();
    long first = (long) Math.floor((block.offset() - window.start()) * scale);
    long last = (long) Math.ceil((block.end() - window.start()) * scale) - 1;
    StringBuilder bar = new StringBuilder();
    for (int column = 0; column < COLUMNS; column++) {
      boolean marked = column >= first && column <= Math.max(first, last);
      bar.append(marked ? block.look().mark : '.');
    }
    return bar.toString();
  }
}
