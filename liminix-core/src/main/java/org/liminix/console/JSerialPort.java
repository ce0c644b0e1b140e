package org.liminix.console;

import com.fazecast.jSerialComm.SerialPort;
import com.fazecast.jSerialComm.SerialPortInvalidPortException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.liminix.console.SerialSettings.FlowControl;
import org.liminix.console.SerialSettings.Parity;
import org.liminix.console.SerialSettings.StopBits;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;

/**
 * A port of jSerialComm, the only class that knows it. Its blocking calls heed no interrupt, and
 * one that meets a close may use a descriptor that belongs to another file by then; so the writer
 * is a thread of this class's own, and a close first makes reader and writer leave. Thread-safe.
 */
final class JSerialPort implements AutoCloseable {
  /** What a device's buffer takes when it has been emptied, see {@link #close}. */
  private static final int CHUNK_BYTES = 1024;

  private static final int BUFFER_BYTES = 8192;
  private static final Duration LONGEST_FLUSH = Duration.ofSeconds(1);

  private final SerialPort port;
  private final String path;
  private final Feeder feeder;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private SerialSettings settings;
  private int calls; // that are in jSerialComm, and may block there
  private boolean closed;

  private final ReentrantLock closing = new ReentrantLock();

  private JSerialPort(SerialPort port, String path, SerialSettings settings) {
    this.port = port;
    this.path = path;
    this.settings = settings;
    this.feeder = Feeder.start(path, CHUNK_BYTES, this::feed);
  }

  static JSerialPort open(String path, SerialSettings settings, boolean dtr, boolean rts) {
    SerialDeviceFinder finder = new SerialDeviceFinder(path);
    finder.requireUsable();
    useDirectoryOfThisJvm();
    try {
      SerialPort port = SerialPort.getCommPort(path);
      boolean unused =
          configure(port, settings)
              && (dtr ? port.setDTR() : port.clearDTR())
              && (rts ? port.setRTS() : port.clearRTS())
              && port.setComPortTimeouts(
                  SerialPort.TIMEOUT_READ_SEMI_BLOCKING | SerialPort.TIMEOUT_WRITE_BLOCKING, 0, 0);
      if (!port.openPort(0)) {
        throw finder.notOpened(port.getLastErrorCode());
      }
      return new JSerialPort(port, path, settings);
    } catch (SerialPortInvalidPortException e) {
      throw finder.missing();
    }
  }

  /**
   * jSerialComm unpacks its native part below the directory for temporary files: under a name that
   * no other JVM uses, and to be removed in the end.
   */
  private static void useDirectoryOfThisJvm() {
    String property = "fazecast.jSerialComm.appid";
    if (System.getProperty(property) == null) {
      System.setProperty(property, "liminix-" + ProcessHandle.current().pid());
      SerialPort.autoCleanupAtShutdown();
    }
  }

  private static boolean configure(SerialPort port, SerialSettings settings) {
    return port.setComPortParameters(
            settings.baudRate(),
            settings.dataBits(),
            stopBits(settings.stopBits()),
            parity(settings.parity()))
        && port.setFlowControl(flowControl(settings.flowControl()));
  }

  private static int stopBits(StopBits stopBits) {
    return switch (stopBits) {
      case ONE -> SerialPort.ONE_STOP_BIT;
      case ONE_AND_A_HALF -> SerialPort.ONE_POINT_FIVE_STOP_BITS;
      case TWO -> SerialPort.TWO_STOP_BITS;
    };
  }

  private static int parity(Parity parity) {
    return switch (parity) {
      case NONE -> SerialPort.NO_PARITY;
      case ODD -> SerialPort.ODD_PARITY;
      case EVEN -> SerialPort.EVEN_PARITY;
      case MARK -> SerialPort.MARK_PARITY;
      case SPACE -> SerialPort.SPACE_PARITY;
    };
  }

  private static int flowControl(FlowControl flowControl) {
    return switch (flowControl) {
      case NONE -> SerialPort.FLOW_CONTROL_DISABLED;
      case XON_XOFF ->
          SerialPort.FLOW_CONTROL_XONXOFF_IN_ENABLED | SerialPort.FLOW_CONTROL_XONXOFF_OUT_ENABLED;
      case RTS_CTS -> SerialPort.FLOW_CONTROL_RTS_ENABLED | SerialPort.FLOW_CONTROL_CTS_ENABLED;
    };
  }

  /** Says that a call of jSerialComm begins, which a close has to wait for. */
  private void enter() throws ClosedChannelException {
    lock.lock();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      calls++;
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    lock.lock();
    try {
      calls--;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  int read(ByteBuffer buffer) throws IOException {
    byte[] bytes = new byte[Math.min(buffer.remaining(), BUFFER_BYTES)];
    if (bytes.length == 0) {
      return 0;
    }
    enter();
    int count;
    try {
      count = port.readBytes(bytes, bytes.length);
    } finally {
      leave();
    }
    if (count > 0) {
      buffer.put(bytes, 0, count);
      return count;
    }
    if (isClosed()) {
      throw new ClosedChannelException();
    }
    return -1; // unplugged, or what a pseudo-terminal says when its other end has gone
  }

  private void feed(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      enter();
      try {
        byte[] chunk = new byte[bytes.remaining()];
        bytes.duplicate().get(chunk);
        int count = port.writeBytes(chunk, chunk.length);
        if (count <= 0) {
          throw new IOException(path + " takes no characters: it may be unplugged");
        }
        bytes.position(bytes.position() + count);
      } finally {
        leave();
      }
    }
  }

  int write(ByteBuffer buffer) throws IOException {
    return feeder.write(buffer);
  }

  SerialSettings settings() {
    lock.lock();
    try {
      return settings;
    } finally {
      lock.unlock();
    }
  }

  void apply(SerialSettings wanted, Duration timeout) {
    control("the settings " + wanted, timeout, () -> configure(port, wanted));
    lock.lock();
    try {
      settings = wanted;
    } finally {
      lock.unlock();
    }
  }

  void dtr(boolean on, Duration timeout) {
    control("DTR", timeout, () -> on ? port.setDTR() : port.clearDTR());
  }

  void rts(boolean on, Duration timeout) {
    control("RTS", timeout, () -> on ? port.setRTS() : port.clearRTS());
  }

  void sendBreak(Duration duration, Duration timeout) {
    control("a break", timeout, port::setBreak);
    try {
      holdUnlessClosed(Deadline.after(duration));
    } finally {
      if (!isClosed()) {
        call("the end of a break", port::clearBreak); // also when interrupted
      }
    }
  }

  private void holdUnlessClosed(Deadline end) {
    lock.lock();
    try {
      while (!closed && end.await(changed)) {}
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the end of a break", e);
    } finally {
      lock.unlock();
    }
  }

  ModemState modemState() {
    ModemState[] state = new ModemState[1];
    call(
        "its wires",
        () -> {
          state[0] = new ModemState(port.getCTS(), port.getDSR(), port.getRI(), port.getDCD());
          return true;
        });
    return state[0];
  }

  void purge() {
    call("purging its buffers", port::flushIOBuffers);
  }

  interface Call {
    boolean succeeds();
  }

  /** Behind what has been written before. */
  private void control(String what, Duration timeout, Call call) {
    try {
      if (!feeder.flush(Deadline.after(timeout))) {
        throw new ConsoleTimeoutException(
            "%s has not taken within %s what was written before %s: its flow control may hold it"
                .formatted(path, Deadline.readable(timeout), what));
      }
    } catch (IOException e) {
      throw new ConsoleClosedException(path + " is closed, or has gone, wanted for " + what, e);
    }
    call(what, call);
  }

  private void call(String what, Call call) {
    try {
      enter();
    } catch (ClosedChannelException e) {
      throw new ConsoleClosedException(path + " is closed, wanted for " + what, e);
    }
    try {
      if (!call.succeeds()) {
        throw new ConsoleException(
            "%s does not take %s (error %d): see what the device and its driver can do"
                .formatted(path, what, port.getLastErrorCode()));
      }
    } finally {
      leave();
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  boolean isOpen() {
    return !isClosed();
  }

  @Override
  public void close() {
    closing.lock();
    try {
      if (isClosed()) {
        return;
      }
      flushBriefly();
      lock.lock();
      try {
        closed = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
      feeder.close();
      // Emptied, the device takes the rest of a write; then the change of mode wakes the reader.
      boolean unused =
          port.flushIOBuffers() && port.setComPortTimeouts(SerialPort.TIMEOUT_NONBLOCKING, 0, 0);
      awaitNoCalls();
      boolean ignored = port.closePort();
    } finally {
      closing.unlock();
    }
  }

  private void flushBriefly() {
    try {
      boolean unused = feeder.flush(Deadline.after(LONGEST_FLUSH));
    } catch (IOException e) {
      // It has gone, which closing does not mind.
    } catch (WaitInterruptedException e) {
      // It is closed at once, and the interrupt stays set.
    }
  }

  /** Not given up for an interrupt, since that would let a call go on that outlives the port. */
  private void awaitNoCalls() {
    Deadline deadline = Deadline.after(LONGEST_FLUSH);
    boolean interrupted = Thread.interrupted();
    lock.lock();
    try {
      while (calls > 0 && !deadline.hasPassed()) {
        try {
          boolean unused = deadline.await(changed);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      lock.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public String toString() {
    return path;
  }
}
