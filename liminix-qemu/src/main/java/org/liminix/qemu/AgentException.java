package org.liminix.qemu;

import org.jspecify.annotations.Nullable;

/** The guest agent refused a command, or is gone; the message has the agent's own words. */
public class AgentException extends VmException {
  private static final long serialVersionUID = 1L;

  private final String errorClass;
  private final String description;

  /** A refusal: the agent's class of the error and its description. */
  public AgentException(String agent, String errorClass, String description) {
    super(agent + " refused: " + description + " (" + errorClass + ")");
    this.errorClass = errorClass;
    this.description = description;
  }

  /** The agent's end, or that of the connection to it. */
  public AgentException(String message, @Nullable Throwable cause) {
    super(message, cause);
    this.errorClass = "";
    this.description = "";
  }

  private AgentException(AgentException original) {
    super(String.valueOf(original.getMessage()), original);
    this.errorClass = original.errorClass;
    this.description = original.description;
  }

  /** The same failure with the stack of the thread that waited for it. */
  static AgentException rethrown(@Nullable Throwable failure) {
    return failure instanceof AgentException refusal
        ? new AgentException(refusal)
        : new AgentException(String.valueOf(failure), failure);
  }

  /**
   * The agent's class of the error (qapi/error.json), such as GenericError or CommandNotFound;
   * empty if the agent is gone.
   */
  public String errorClass() {
    return errorClass;
  }

  /** The agent's description of the error; empty if the agent is gone. */
  public String description() {
    return description;
  }
}
