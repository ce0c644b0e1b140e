package org.liminix.tftp;

/**
 * Told what a {@link TftpServer} does, as it happens. Every method is called on the server's event
 * loop and must not wait; what it throws is logged and changes nothing.
 *
 * <pre>{@code
 * TftpServer.allowAnyone().root(dir).listener(new TftpListener() {
 *   public void ended(TftpTransfer transfer) {
 *     System.out.println(transfer);
 *   }
 * }).start();
 * }</pre>
 */
public interface TftpListener {
  /** A transfer begins. */
  default void started(TftpTransfer transfer) {}

  /** A transfer goes on; called at most ten times a second for each. */
  default void progressed(TftpTransfer transfer) {}

  /** A transfer completed or failed. */
  default void ended(TftpTransfer transfer) {}

  /** A request was refused before a transfer began. */
  default void refused(TftpTransfer request) {}
}
