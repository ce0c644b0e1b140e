package org.liminix.uboot;

import java.util.Optional;

/**
 * One thing that a script does to the memory or flash of a board.
 *
 * @param line the number of the line, counted from 1
 * @param action what it does
 * @param device the flash it does it to; empty for RAM
 * @param range where, in the addresses the commands use
 * @param content what is put there, by the name it was loaded under; empty when erasing
 */
public record PlanStep(
    int line, Action action, Optional<FlashDevice> device, AddressRange range, String content) {

  /** What a step does. */
  public enum Action {
    /** Loads a file into RAM. */
    LOAD("load"),
    /** Unpacks or copies something within RAM. */
    UNPACK("unpack"),
    /** Erases blocks. */
    ERASE("erase"),
    /** Writes blocks. */
    WRITE("write"),
    /** Puts the kernel where it starts. */
    START("start");

    private final String verb;

    Action(String verb) {
      this.verb = verb;
    }

    String verb() {
      return verb;
    }
  }

  String place() {
    return device.map(FlashDevice::name).orElse("RAM");
  }
}
