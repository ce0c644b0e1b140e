package org.liminix.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLConnection;

/** A web server in this JVM with one page, on 127.0.0.1 only. */
public final class PageServer implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 30_000;

  private final ServerSocket socket;
  private final String page;

  private PageServer(ServerSocket socket, String page) {
    this.socket = socket;
    this.page = page;
  }

  public static PageServer of(String page) throws IOException {
    ServerSocket socket = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    PageServer server = new PageServer(socket, page);
    Thread thread = new Thread(server::serve, "page-server");
    thread.setDaemon(true);
    thread.start();
    return server;
  }

  public int port() {
    return socket.getLocalPort();
  }

  /** What a client in this JVM gets from a web server. */
  public static String get(URI uri) throws IOException {
    URLConnection connection = uri.toURL().openConnection();
    connection.setConnectTimeout(PATIENCE_MILLIS);
    connection.setReadTimeout(PATIENCE_MILLIS);
    try (var in = connection.getInputStream()) {
      return new String(in.readAllBytes(), US_ASCII);
    }
  }

  private void serve() {
    while (!socket.isClosed()) {
      try (Socket client = socket.accept()) {
        client.setSoTimeout(PATIENCE_MILLIS);
        answer(client);
      } catch (IOException e) {
        // The client's business, or the end.
      }
    }
  }

  private void answer(Socket client) throws IOException {
    BufferedReader request =
        new BufferedReader(new InputStreamReader(client.getInputStream(), US_ASCII));
    String line = request.readLine();
    while (line != null && !line.isEmpty()) {
      line = request.readLine();
    }
    client
        .getOutputStream()
        .write(
            "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(page.length(), page)
                .getBytes(US_ASCII));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
