package org.liminix.console;

import java.util.List;

/**
 * The kernel behind a console reported a failure while, or before, something was awaited.
 *
 * <pre>{@code
 * assertThatThrownBy(() -> shell.run("echo c >/proc/sysrq-trigger"))
 *     .isInstanceOf(KernelException.Panic.class);
 * }</pre>
 *
 * <p>The message has the kernel's last lines up to its report; what follows, a call trace say, is
 * in the transcript.
 */
@SuppressWarnings("serial") // never written to a stream; each would need a number of its own
public abstract sealed class KernelException extends ConsoleException {
  private final KernelFailure failure;
  private final List<String> lines;

  /** What the kernel told, and how to put it. */
  private record Told(KernelFailure failure, String message, List<String> lines) {}

  private KernelException(Told told) {
    super(told.message());
    this.failure = told.failure();
    this.lines = List.copyOf(told.lines());
  }

  static KernelException of(KernelFailure failure, String message, List<String> lines) {
    Told told = new Told(failure, message, lines);
    return switch (failure) {
      case ROOT_MOUNT -> new RootMount(told);
      case INIT_DIED -> new InitDied(told);
      case KERNEL_PANIC -> new Panic(told);
      case KERNEL_OOPS -> new Oops(told);
      case STALL -> new Stall(told);
      case KERNEL_BUG -> new Bug(told);
      case HUNG_TASK -> new HungTask(told);
      case OOM_KILL -> new OomKill(told);
      case KERNEL_WARNING -> new Warning(told);
      case REBOOT_LOOP -> new RebootLoop(told);
    };
  }

  /** What happened. */
  public KernelFailure failure() {
    return failure;
  }

  /** The kernel's last messages up to the one that reports the failure, with their timestamps. */
  public List<String> lines() {
    return lines;
  }

  /** {@link KernelFailure#KERNEL_PANIC}, and its two common causes as subclasses. */
  public static sealed class Panic extends KernelException {
    private Panic(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#ROOT_MOUNT}. */
  public static final class RootMount extends Panic {
    private RootMount(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#INIT_DIED}. */
  public static final class InitDied extends Panic {
    private InitDied(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#KERNEL_OOPS}. */
  public static final class Oops extends KernelException {
    private Oops(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#STALL}. */
  public static final class Stall extends KernelException {
    private Stall(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#KERNEL_BUG}. */
  public static final class Bug extends KernelException {
    private Bug(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#HUNG_TASK}. */
  public static final class HungTask extends KernelException {
    private HungTask(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#OOM_KILL}. */
  public static final class OomKill extends KernelException {
    private OomKill(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#KERNEL_WARNING}. */
  public static final class Warning extends KernelException {
    private Warning(Told told) {
      super(told);
    }
  }

  /** {@link KernelFailure#REBOOT_LOOP}. */
  public static final class RebootLoop extends KernelException {
    private RebootLoop(Told told) {
      super(told);
    }
  }
}
