package org.liminix.tftp;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.net.EventLoop;
import org.liminix.net.UdpHost;
import org.liminix.process.WaitInterruptedException;
import org.liminix.tftp.internal.BufferPool;
import org.liminix.tftp.internal.BytesSink;
import org.liminix.tftp.internal.BytesSource;
import org.liminix.tftp.internal.FileSink;
import org.liminix.tftp.internal.FileSource;
import org.liminix.tftp.internal.NetasciiSink;
import org.liminix.tftp.internal.NetasciiSource;
import org.liminix.tftp.internal.Sink;
import org.liminix.tftp.internal.Source;
import org.liminix.tftp.internal.Wire;

/**
 * A TFTP client with the options of RFC 2347, 2348, 2349 and 7440: fetches from any server and
 * stores where it is let.
 *
 * <pre>{@code
 * try (TftpClient tftp = TftpClient.to("192.168.8.1").blockSize(1468).window(8).start()) {
 *   byte[] kernel = tftp.get("uImage");
 *   tftp.put("config.txt", Path.of("config.txt"));
 * }
 * }</pre>
 *
 * <p>Thread-safe: several threads may transfer at the same time. Whoever started it closes it,
 * which ends transfers under way.
 */
public final class TftpClient implements AutoCloseable {
  private static final long MOST_IN_MEMORY = 1L << 30;
  private static final long POOLED_BYTES = 1024 * 1024;

  private final ClientSpec spec;
  private final DatagramHost host;
  private final boolean ownsLoop;
  private final BufferPool buffers = new BufferPool(POOLED_BYTES);
  private final Set<ClientTransfer> running = ConcurrentHashMap.newKeySet();

  private TftpClient(ClientSpec spec, DatagramHost host, boolean ownsLoop) {
    this.spec = spec;
    this.host = host;
    this.ownsLoop = ownsLoop;
  }

  /**
   * Begins a client of the server at an address, port 69 unless told otherwise.
   *
   * @throws IllegalArgumentException if there is no such host
   */
  public static TftpClientBuilder to(String server) {
    try {
      return to(new InetSocketAddress(InetAddress.getByName(server), Wire.PORT));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          "\"" + server + "\" is no host that is known here; write its address", e);
    }
  }

  /** Begins a client of the server at an address and port, such as {@link TftpServer#address}. */
  public static TftpClientBuilder to(InetSocketAddress server) {
    return new TftpClientBuilder(server);
  }

  static TftpClient start(ClientSpec spec) {
    DatagramHost given = spec.host();
    if (given != null) {
      return new TftpClient(spec, given, false);
    }
    EventLoop loop = EventLoop.start("tftp-client");
    return new TftpClient(spec, UdpHost.at(new InetSocketAddress(0).getAddress(), loop), true);
  }

  /**
   * Fetches a file into memory.
   *
   * @throws TftpException if the server refuses it, with its code, or falls silent
   * @throws WaitInterruptedException if the thread is interrupted; the transfer ends
   */
  public byte[] get(String file) {
    BytesSink sink = new BytesSink(Math.min(MOST_IN_MEMORY, spec.maxDownload()));
    fetch(file, sink);
    return sink.toByteArray();
  }

  /**
   * Fetches a file into a file, which appears, or is replaced, when all is there.
   *
   * @return how many bytes it has
   * @throws TftpException if the server refuses it, falls silent, or the file cannot be written
   * @throws WaitInterruptedException if the thread is interrupted; the transfer ends
   */
  public long get(String file, Path target) {
    try {
      return fetch(file, FileSink.create(target, true, spec.maxDownload()));
    } catch (IOException e) {
      throw new TftpException("Cannot write " + target, e);
    }
  }

  private long fetch(String file, Sink sink) {
    return transfer(file, spec.netascii() ? new NetasciiSink(sink) : sink);
  }

  /**
   * Stores bytes under a name.
   *
   * @throws TftpException if the server refuses it, with its code, or falls silent
   * @throws WaitInterruptedException if the thread is interrupted; the transfer ends
   */
  public void put(String file, byte[] content) {
    store(file, new BytesSource(content.clone()));
  }

  /**
   * Stores a regular file under a name.
   *
   * @throws TftpException if the server refuses it, falls silent, or the file cannot be read
   * @throws WaitInterruptedException if the thread is interrupted; the transfer ends
   */
  public void put(String file, Path content) {
    try {
      store(file, FileSource.open(content, buffers));
    } catch (IOException e) {
      throw new TftpException("Cannot read " + content, e);
    }
  }

  private void store(String file, Source source) {
    transfer(file, spec.netascii() ? new NetasciiSource(source) : source);
  }

  private long transfer(String file, Closeable content) {
    if (file.isEmpty() || file.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("A file's name is neither empty nor holds a zero byte");
    }
    AtomicReference<@Nullable ClientTransfer> started = new AtomicReference<>();
    host.loop()
        .call(
            () -> {
              ClientTransfer transfer =
                  new ClientTransfer(spec, host, spec.server(), buffers, file, content);
              running.add(transfer);
              started.set(transfer);
            });
    ClientTransfer transfer = started.get();
    if (transfer == null) {
      throw new TftpException("The client is closed", null);
    }
    try {
      return transfer.result().get();
    } catch (InterruptedException e) {
      host.loop().execute(transfer::cancel);
      throw new WaitInterruptedException("the transfer of " + file, e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TftpException failure) {
        throw failure;
      }
      throw new TftpException("The transfer of " + file + " failed", e.getCause());
    } finally {
      running.remove(transfer);
    }
  }

  /** Ends transfers under way and frees ports and threads. Idempotent. */
  @Override
  public void close() {
    try {
      host.loop().call(() -> running.forEach(ClientTransfer::cancel));
    } catch (RejectedExecutionException closed) {
      // The loop, and with it every transfer, has ended already.
    }
    if (ownsLoop) {
      host.loop().close();
    }
  }

  @Override
  public String toString() {
    return "TftpClient[" + spec.server() + "]";
  }
}
