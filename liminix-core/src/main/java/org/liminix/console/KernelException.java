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
public abstract sealed class KernelException extends ConsoleException {
  private static final long serialVersionUID = 1L;

  private final KernelFailure failure;
  private final List<String> lines;

  private KernelException(KernelFailure failure, String message, List<String> lines) {
    super(message);
    this.failure = failure;
    this.lines = List.copyOf(lines);
  }

  static KernelException of(KernelFailure failure, String message, List<String> lines) {
    return switch (failure) {
      case ROOT_MOUNT -> new RootMount(message, lines);
      case INIT_DIED -> new InitDied(message, lines);
      case KERNEL_PANIC -> new Panic(failure, message, lines);
      case KERNEL_OOPS -> new Oops(message, lines);
      case STALL -> new Stall(message, lines);
      case KERNEL_BUG -> new Bug(message, lines);
      case HUNG_TASK -> new HungTask(message, lines);
      case OOM_KILL -> new OomKill(message, lines);
      case KERNEL_WARNING -> new Warning(message, lines);
      case REBOOT_LOOP -> new RebootLoop(message, lines);
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
    private static final long serialVersionUID = 1L;

    private Panic(KernelFailure failure, String message, List<String> lines) {
      super(failure, message, lines);
    }
  }

  /** {@link KernelFailure#ROOT_MOUNT}. */
  public static final class RootMount extends Panic {
    private static final long serialVersionUID = 1L;

    private RootMount(String message, List<String> lines) {
      super(KernelFailure.ROOT_MOUNT, message, lines);
    }
  }

  /** {@link KernelFailure#INIT_DIED}. */
  public static final class InitDied extends Panic {
    private static final long serialVersionUID = 1L;

    private InitDied(String message, List<String> lines) {
      super(KernelFailure.INIT_DIED, message, lines);
    }
  }

  /** {@link KernelFailure#KERNEL_OOPS}. */
  public static final class Oops extends KernelException {
    private static final long serialVersionUID = 1L;

    private Oops(String message, List<String> lines) {
      super(KernelFailure.KERNEL_OOPS, message, lines);
    }
  }

  /** {@link KernelFailure#STALL}. */
  public static final class Stall extends KernelException {
    private static final long serialVersionUID = 1L;

    private Stall(String message, List<String> lines) {
      super(KernelFailure.STALL, message, lines);
    }
  }

  /** {@link KernelFailure#KERNEL_BUG}. */
  public static final class Bug extends KernelException {
    private static final long serialVersionUID = 1L;

    private Bug(String message, List<String> lines) {
      super(KernelFailure.KERNEL_BUG, message, lines);
    }
  }

  /** {@link KernelFailure#HUNG_TASK}. */
  public static final class HungTask extends KernelException {
    private static final long serialVersionUID = 1L;

    private HungTask(String message, List<String> lines) {
      super(KernelFailure.HUNG_TASK, message, lines);
    }
  }

  /** {@link KernelFailure#OOM_KILL}. */
  public static final class OomKill extends KernelException {
    private static final long serialVersionUID = 1L;

    private OomKill(String message, List<String> lines) {
      super(KernelFailure.OOM_KILL, message, lines);
    }
  }

  /** {@link KernelFailure#KERNEL_WARNING}. */
  public static final class Warning extends KernelException {
    private static final long serialVersionUID = 1L;

    private Warning(String message, List<String> lines) {
      super(KernelFailure.KERNEL_WARNING, message, lines);
    }
  }

  /** {@link KernelFailure#REBOOT_LOOP}. */
  public static final class RebootLoop extends KernelException {
    private static final long serialVersionUID = 1L;

    private RebootLoop(String message, List<String> lines) {
      super(KernelFailure.REBOOT_LOOP, message, lines);
    }
  }
}
