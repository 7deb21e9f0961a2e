import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Column, Dataset } from '../model/catalogue.js';
import type { TagService } from '../services/tags.js';
import type { ApiContext } from './context.js';
import { NodeRefInput } from './inputs.js';
import { LineageNodeType } from './types/nodes.js';

@Resolver()
export class TagResolver {
  constructor(private readonly tags: TagService) {}

  @Mutation(() => LineageNodeType, {
    description: 'Tags a dataset or column; one that has the tag stays as it is. The name has 1 to 100 characters; case counts, blanks around it do not.',
  })
  async tag(
    @Arg('of', () => NodeRefInput) of: NodeRefInput,
    @Arg('name', () => String) name: string,
    @Ctx() { loaders }: ApiContext,
  ): Promise<Dataset | Column> {
    const node = await this.tags.tag(of, name);
    loaders.tagsOfNode.clear(node.id);
    return node;
  }

  @Mutation(() => LineageNodeType, { description: 'Takes a tag away; what does not have it stays as it is.' })
  async untag(
    @Arg('of', () => NodeRefInput) of: NodeRefInput,
    @Arg('name', () => String) name: string,
    @Ctx() { loaders }: ApiContext,
  ): Promise<Dataset | Column> {
    const node = await this.tags.untag(of, name);
    loaders.tagsOfNode.clear(node.id);
    return node;
  }
}
