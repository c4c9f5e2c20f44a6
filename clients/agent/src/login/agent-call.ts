import { agentEvent, type AgentEvent, type TerminalRequest } from './protocol.ts';
import { connectToAgent, jsonLines } from './socket.ts';

/** Asks the running agent one thing and returns its one answer. */
export async function askAgent(stateFolder: string, request: TerminalRequest): Promise<AgentEvent> {
  const socket = await connectToAgent(stateFolder).catch(() => {
    throw new Error(`No agent runs with the state folder ${stateFolder}. Start it with: stint-agent run`);
  });
  return new Promise((resolve, reject) => {
    const connection = jsonLines<AgentEvent, TerminalRequest>(socket, agentEvent, {
      message: (event) => {
        resolve(event);
        connection.close();
      },
      closed: () => reject(new Error('The agent gave no answer.')),
    });
    connection.send(request);
  });
}
