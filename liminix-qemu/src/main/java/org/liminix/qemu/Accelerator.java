package org.liminix.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What executes the instructions of a machine. */
public enum Accelerator {
  /** QEMU translates them: any guest on any host. */
  TCG,
  /** The host's processor itself: guests of its own kind, where {@code /dev/kvm} can be used. */
  KVM;

  private static final Path DEVICE = Path.of("/dev/kvm");

  /**
   * Which accelerator runs a machine, and why that one.
   *
   * <pre>{@code
   * vm.acceleration(); // TCG, since mips is not what the processor of this host executes
   * }</pre>
   *
   * @param accelerator the one in use
   * @param reason a clause that says why
   */
  public record Choice(Accelerator accelerator, String reason) {
    /** What to do when the machine does not run; empty where the accelerator is not to blame. */
    String advice() {
      return accelerator == KVM
          ? "Its accelerator is KVM, which fails on many hosts that are virtual themselves: use"
              + " accelerator(TCG), or the system property liminix.accelerator=tcg."
          : "";
    }

    @Override
    public String toString() {
      return accelerator + ", since " + reason;
    }
  }

  /** The one asked for, by the builder or by the property liminix.accelerator, or the best one. */
  static Choice choose(
      @Nullable Accelerator asked, Machine machine, Optional<String> property, String hostArch) {
    if (asked != null) {
      return new Choice(require(asked, machine, hostArch), "it was asked for");
    }
    if (property.isPresent()) {
      Accelerator wanted = named(property.get());
      if (wanted == TCG) {
        return new Choice(TCG, "the system property liminix.accelerator says so");
      }
    }
    String obstacle = obstacle(machine, hostArch);
    return obstacle.isEmpty()
        ? new Choice(KVM, "this host's processor executes " + machine.label() + " itself")
        : new Choice(TCG, obstacle);
  }

  private static Accelerator named(String property) {
    for (Accelerator accelerator : values()) {
      if (accelerator.name().equalsIgnoreCase(property)) {
        return accelerator;
      }
    }
    throw new IllegalArgumentException(
        "The system property liminix.accelerator is " + property + "; it can be tcg or kvm");
  }

  private static Accelerator require(Accelerator asked, Machine machine, String hostArch) {
    String obstacle = asked == KVM ? obstacle(machine, hostArch) : "";
    if (!obstacle.isEmpty()) {
      throw new VmException(
          "KVM was asked for and cannot be had, since " + obstacle + "; use accelerator(TCG)");
    }
    return asked;
  }

  private static String obstacle(Machine machine, String hostArch) {
    if (!machine.hostArchitectures().contains(hostArch)) {
      return machine.label() + " is not what the processor of this host executes";
    }
    if (!Files.exists(DEVICE)) {
      return "this host has no " + DEVICE;
    }
    if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
      return DEVICE + " is closed to this user (who is not in the group kvm, perhaps)";
    }
    return "";
  }
}
