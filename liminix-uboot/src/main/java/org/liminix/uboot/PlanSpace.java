package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A bank of RAM or a flash device with what a plan does to it, ready to be drawn: all positions are
 * offsets from its start.
 *
 * @param title what it is
 * @param base its first address
 * @param size its size
 * @param blocks what is there and what happens there, in the order to draw
 */
record PlanSpace(String title, long base, long size, List<Block> blocks) {
  /** How a block looks. */
  enum Look {
    /** Must not be touched. */
    KEPT('='),
    /** A partition that may be written. */
    PARTITION('-'),
    LOADED('#'),
    UNPACKED('%'),
    STARTED('>'),
    ERASED('x'),
    WRITTEN('#');

    final char mark;

    Look(char mark) {
      this.mark = mark;
    }
  }

  /**
   * Something at a place.
   *
   * @param label its name, and the line of the script it comes from, if any
   */
  record Block(Look look, String label, long offset, long size) {
    long end() {
      return offset + size;
    }
  }

  /** A space as large as this part of the whole is drawn a second time, enlarged. */
  private static final double WORTH_ENLARGING = 0.4;

  /** The enlarged part shows this much more than what happens there. */
  private static final double MARGIN = 0.08;

  /** It begins and ends at multiples of about this fraction of itself. */
  private static final int TIDY = 8;

  static List<PlanSpace> of(ScriptPlan plan) {
    List<PlanSpace> spaces = new ArrayList<>();
    MemoryMap board = plan.board();
    for (AddressRange bank : board.ram()) {
      List<Block> blocks = new ArrayList<>();
      for (AddressRange uboot : board.uboot()) {
        place(board, bank, uboot)
            .ifPresent(at -> blocks.add(new Block(Look.KEPT, "U-Boot", at, uboot.size())));
      }
      for (PlanStep step : plan.steps()) {
        if (step.device().isEmpty()) {
          place(board, bank, step.range()).ifPresent(at -> blocks.add(block(step, at)));
        }
      }
      spaces.add(new PlanSpace("RAM", bank.start(), bank.size(), blocks));
    }
    for (FlashDevice device : board.flash()) {
      if (plan.steps().stream().anyMatch(s -> s.device().equals(Optional.of(device)))) {
        spaces.add(flash(plan, device));
      }
    }
    return spaces;
  }

  private static PlanSpace flash(ScriptPlan plan, FlashDevice device) {
    List<Block> blocks = new ArrayList<>();
    for (FlashDevice.Partition partition : device.partitions()) {
      blocks.add(
          new Block(
              partition.writable() ? Look.PARTITION : Look.KEPT,
              "partition " + partition.name(),
              partition.range().start(),
              partition.range().size()));
    }
    for (PlanStep step : plan.steps()) {
      if (step.device().equals(Optional.of(device))) {
        place(plan.board(), device.range(), step.range())
            .ifPresent(at -> blocks.add(block(step, at)));
      }
    }
    String title = device.kind() == FlashDevice.Kind.UBI ? "UBI volume " : "";
    return new PlanSpace(
        title + device.name(), device.range().start(), device.range().size(), blocks);
  }

  private static Optional<Long> place(MemoryMap board, AddressRange space, AddressRange what) {
    AddressRange physicalSpace = board.addressing().physical(space);
    AddressRange physical = board.addressing().physical(what);
    return physicalSpace.overlaps(physical)
        ? Optional.of(physical.start() - physicalSpace.start())
        : Optional.empty();
  }

  private static Block block(PlanStep step, long at) {
    Look look =
        switch (step.action()) {
          case LOAD -> Look.LOADED;
          case UNPACK -> Look.UNPACKED;
          case ERASE -> Look.ERASED;
          case WRITE -> Look.WRITTEN;
          case START -> Look.STARTED;
        };
    String what = step.content().isEmpty() ? "" : " " + step.content();
    return new Block(
        look,
        "line %d: %s%s".formatted(step.line(), step.action().verb(), what),
        at,
        step.range().size());
  }

  /** The part where something happens, if it is small enough to be worth a drawing of its own. */
  Optional<AddressRange> enlarged() {
    List<Block> moving =
        blocks.stream().filter(b -> b.look() != Look.KEPT && b.look() != Look.PARTITION).toList();
    if (moving.isEmpty()) {
      return Optional.empty();
    }
    long from = moving.stream().mapToLong(Block::offset).min().orElseThrow();
    long to = moving.stream().mapToLong(Block::end).max().orElseThrow();
    long margin = (long) ((to - from) * MARGIN);
    long round = Math.max(1, Long.highestOneBit((to - from) / TIDY));
    from = Math.max(0, (from - margin) / round * round);
    to = Math.min(size, ImageData.roundUp(to + margin, round));
    return to - from < size * WORTH_ENLARGING
        ? Optional.of(AddressRange.between(from, to))
        : Optional.empty();
  }

  String addresses(long offset, long length) {
    return "0x%x–0x%x".formatted(base + offset, base + offset + length);
  }

  static String readable(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    String unit = bytes < 1 << 20 ? "KiB" : bytes < 1L << 30 ? "MiB" : "GiB";
    double scaled = bytes / (bytes < 1 << 20 ? 1024.0 : bytes < 1L << 30 ? 1 << 20 : 1L << 30);
    return scaled == Math.rint(scaled)
        ? "%d %s".formatted((long) scaled, unit)
        : "%.1f %s".formatted(scaled, unit);
  }
}
