package org.liminix.console;

import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.liminix.process.WaitInterruptedException;

/**
 * A person's stay. All that happens, at the terminal and at the far end, is done one after the
 * other by the thread that {@link #run}s it.
 */
final class AttachedSession implements EscapeKeys.Commands, FarEnd.Listener {
  /** Something to join under a name. */
  record Named(String name, Callable<? extends ByteChannel> opener) {}

  private interface Event {
    void happen() throws IOException;
  }

  private static final byte[] BELL = {7};

  private final String title;
  private final List<Named> channels;
  private final Terminal terminal;
  private final EscapeKeys keys;

  /** Bounded, so that a far end is read no faster than the terminal shows it. */
  private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(16);

  private int index;
  private @Nullable FarEnd current;
  private Terminal.@Nullable Size size;
  private @Nullable Departure departure;
  private volatile boolean over;

  AttachedSession(String title, List<Named> channels, Terminal terminal) {
    this.title = title;
    this.channels = channels;
    this.terminal = terminal;
    this.keys = new EscapeKeys(channels.size() > 1, this);
  }

  /**
   * @throws ConsoleException if the first channel cannot be opened
   */
  Departure run() {
    Thread keyboard = new Thread(this::readKeys, "liminix-keyboard");
    keyboard.setDaemon(true);
    try {
      connect();
      notice(greeting());
      terminal.onSize(this::sized);
      keyboard.start();
      while (departure == null) {
        events.take().happen();
      }
      return departure;
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (IOException e) {
      if (Thread.interrupted()) { // which closes a channel that is being written
        throw interrupted(new InterruptedException());
      }
      return Departure.LEFT; // the terminal is gone
    } finally {
      over = true; // rather than an interrupt, which would close some kinds of stream
      disconnect();
      events.clear(); // makes room for what others still have to add
    }
  }

  private WaitInterruptedException interrupted(InterruptedException cause) {
    return new WaitInterruptedException("a person to leave " + title, cause);
  }

  private String greeting() {
    StringBuilder greeting = new StringBuilder();
    greeting.append(channels.get(0).name()).append(" of ").append(title).append(": ^O leaves");
    if (channels.size() > 1) {
      greeting.append(", ^P goes to ").append(channels.get(1).name());
    }
    return greeting.append(", ^] ? helps").toString();
  }

  private void readKeys() {
    try {
      byte[] typed = read();
      while (typed.length > 0 && !over) {
        byte[] chunk = typed;
        events.put(() -> keys.typed(chunk));
        typed = read();
      }
      events.put(() -> departure = Departure.LEFT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private byte[] read() {
    try {
      return terminal.read();
    } catch (IOException e) {
      return new byte[0]; // as that of a terminal that was closed
    }
  }

  private void sized(Terminal.Size changed) {
    try {
      events.put(
          () -> {
            size = changed;
            if (current != null) {
              current.resize(changed);
            }
          });
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void said(FarEnd from, byte[] bytes) throws InterruptedException {
    events.put(
        () -> {
          if (from == current) {
            terminal.write(bytes);
          }
        });
  }

  @Override
  public void ended(FarEnd which) throws InterruptedException {
    events.put(
        () -> {
          if (which == current) {
            notice(channels.get(index).name() + " has ended");
            departure = Departure.ENDED;
          }
        });
  }

  @Override
  public void type(byte[] bytes) throws IOException {
    if (current == null || !current.type(bytes)) {
      terminal.write(BELL);
    }
  }

  @Override
  public void leave() {
    departure = Departure.LEFT;
  }

  @Override
  public void next() throws IOException {
    disconnect();
    int before = index;
    index = (index + 1) % channels.size();
    notice(channels.get(index).name());
    try {
      connect();
    } catch (ConsoleException e) {
      notice(String.valueOf(e.getMessage()));
      index = before;
      try {
        connect();
      } catch (ConsoleException gone) {
        notice(channels.get(index).name() + " has ended");
        departure = Departure.ENDED;
      }
    }
  }

  @Override
  public void size() throws IOException {
    if (size == null) {
      notice("the size of this terminal is not known");
    } else {
      type(
          "stty rows %d cols %d\r"
              .formatted(size.rows(), size.columns())
              .getBytes(StandardCharsets.US_ASCII));
    }
  }

  @Override
  public void help() throws IOException {
    notice(
        "^O leaves"
            + (channels.size() > 1 ? "; ^P switches" : "")
            + "; ^] s types stty with the size of this window; ^] and ^O, ^P or ^] types that key");
  }

  private void connect() {
    Named channel = channels.get(index);
    FarEnd farEnd;
    try {
      farEnd = new FarEnd(channel.name(), channel.opener().call(), this);
    } catch (WaitInterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new ConsoleException(
          "Cannot join the " + channel.name() + " of " + title + ": " + e.getMessage(), e);
    }
    current = farEnd;
    if (size != null) {
      farEnd.resize(size);
    }
  }

  private void disconnect() {
    FarEnd left = current;
    current = null;
    if (left != null) {
      left.leave();
    }
  }

  private void notice(String text) throws IOException {
    terminal.write(("\r\n[" + text + "]\r\n").getBytes(StandardCharsets.UTF_8));
  }
}
