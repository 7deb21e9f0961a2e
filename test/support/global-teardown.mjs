// @ts-check
import { removeTestServers } from './embedded-parts.mjs';

export default removeTestServers;
